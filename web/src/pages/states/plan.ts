/**
 * Plans and results of state runs, read from what functions return.
 *
 * A function may return anything, and the agent may be newer than this page: what is missing is left out, and only a
 * value that is no plan at all is refused.
 */

/** What a step means for those who use the object, from nothing to the worst. */
export const consequences = ['none', 'live', 'next boot', 'downtime', 'loss of data'] as const
export type Consequence = (typeof consequences)[number]

export interface Plan {
  hash: string
  states: PlannedState[]
  /** What `state.apply_plan` takes back: all that the hash covers, without the differences, which are the bulk of it. */
  agreed: unknown
}

export interface PlannedState {
  key: string
  id: string
  /** `virt.running` */
  fun: string
  /** True: nothing to do, false: it cannot be planned, null: it would change something. */
  result: boolean | null
  comment: string
  steps: PlannedStep[]
  /** What stays different although nothing is done about it now. */
  pending: string[]
  notes: string[]
}

export interface PlannedStep {
  summary: string
  consequence: Consequence
  diff: { before: string; after: string } | undefined
}

/** What became of one state. */
export interface Outcome {
  key: string
  id: string
  fun: string
  result: boolean | null
  comment: string
  changed: boolean
}

/** The plan in what `state.plan` returned; undefined when it is none. */
export function readPlan(value: unknown): Plan | undefined {
  if (!isRecord(value) || !Array.isArray(value.states) || typeof value.hash !== 'string') return undefined
  const states = value.states.filter(isRecord)
  const agreed = { ...value, states: states.map(withoutDifferences) }
  return { hash: value.hash, states: states.map(readState), agreed }
}

function withoutDifferences(state: Record<string, unknown>): Record<string, unknown> {
  if (!Array.isArray(state.steps)) return state
  return { ...state, steps: state.steps.filter(isRecord).map((step) => ({ ...step, diff: null })) }
}

/** The errors of states that do not compile: a list of texts in place of all results. */
export function readFaults(value: unknown): string[] | undefined {
  return Array.isArray(value) ? textsIn(value) : undefined
}

/** The results of a run in the order in which Salt shows them; undefined when they are none. */
export function readOutcomes(value: unknown): Outcome[] | undefined {
  if (!isRecord(value)) return undefined
  const entries = Object.entries(value).flatMap(([key, result]) =>
    isRecord(result) && 'result' in result ? [{ key, result }] : [],
  )
  const number = (result: Record<string, unknown>) =>
    typeof result.__run_num__ === 'number' ? result.__run_num__ : entries.length
  return entries.sort((one, other) => number(one.result) - number(other.result)).map(readOutcome)
}

function readOutcome({ key, result }: { key: string; result: Record<string, unknown> }): Outcome {
  const [module = '', id = '', , fun = ''] = key.split('_|-')
  return {
    key,
    id: text(result.__id__) || id,
    fun: `${module}.${fun}`,
    result: verdict(result.result),
    comment: text(result.comment),
    changed: isRecord(result.changes) && Object.keys(result.changes).length > 0,
  }
}

function readState(state: Record<string, unknown>): PlannedState {
  return {
    key: text(state.key),
    id: text(state.id),
    fun: text(state.state),
    result: verdict(state.result),
    comment: text(state.comment),
    steps: Array.isArray(state.steps) ? state.steps.filter(isRecord).map(readStep) : [],
    pending: textsIn(state.pending),
    notes: textsIn(state.notes),
  }
}

function readStep(step: Record<string, unknown>): PlannedStep {
  const { diff } = step
  return {
    summary: text(step.summary),
    // A word of a newer agent is taken for the worst.
    consequence: consequences.find((known) => known === step.consequence) ?? 'loss of data',
    diff: isRecord(diff) ? { before: text(diff.before), after: text(diff.after) } : undefined,
  }
}

/** Steps that interrupt or destroy something, by state and place: each needs a tick of its own. */
export function graveSteps(plan: Plan): { key: string; summary: string }[] {
  return plan.states.flatMap((state) =>
    state.steps.flatMap((step, index) =>
      isGrave(step.consequence) ? [{ key: stepKey(state, index), summary: step.summary }] : [],
    ),
  )
}

export function stepKey(state: PlannedState, index: number): string {
  return `${state.key}#${index}`
}

export function isGrave(consequence: Consequence): consequence is 'downtime' | 'loss of data' {
  return consequence === 'downtime' || consequence === 'loss of data'
}

/** The worst consequence of all steps; undefined when there are none. */
export function worstOf(plan: Plan): Consequence | undefined {
  const steps = plan.states.flatMap((state) => state.steps)
  return consequences.findLast((one) => steps.some((step) => step.consequence === one))
}

/** Names of SLS as a person types them: separated by commas or blanks. */
export function slsNames(typed: string): string[] {
  return typed.split(/[\s,]+/).filter((name) => name !== '')
}

function verdict(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
