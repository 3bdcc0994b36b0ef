/** What went wrong, in the four parts of the API's error body, also for answers that have none. */

export interface Problem {
  /** Stable word for programs. */
  code: string
  /** HTTP status; 0 when no answer came. */
  status: number
  /** What failed and why. Empty when the server did not say. */
  message: string
  hint: string | undefined
  field: string | undefined
  requestId: string | undefined
}

/** Thrown by every call of `api/` that does not succeed. */
export class ApiError extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.message === '' ? problem.code : problem.message)
    this.name = 'ApiError'
    this.problem = problem
  }
}

/** Reads an error body; accepts anything, since a proxy between may answer with its own page. */
export function problemFrom(status: number, body: unknown): Problem {
  const error = isRecord(body) && isRecord(body.error) ? body.error : {}
  return {
    code: textOf(error.code) ?? `http_${status}`,
    status,
    message: textOf(error.message) ?? '',
    hint: textOf(error.hint),
    field: textOf(error.field),
    requestId: textOf(error.request_id),
  }
}

/** Whatever was thrown, as a problem. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof ApiError) return thrown.problem
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  // `fetch` throws a TypeError when the server cannot be reached.
  if (thrown instanceof TypeError) return { ...problemFrom(0, undefined), code: 'unreachable' }
  return { ...problemFrom(0, undefined), code: 'internal', message }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
