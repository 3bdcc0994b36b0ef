/** The one client of the public API. */
import createClient, { type Middleware } from 'openapi-fetch'
import { ApiError, problemFrom } from './problem'
import type { paths } from './schema'

type SignedOutListener = () => void
const signedOutListeners = new Set<SignedOutListener>()

/** Calls `listener` whenever the server says that nobody is signed in. */
export function onSignedOut(listener: SignedOutListener): () => void {
  signedOutListeners.add(listener)
  return () => signedOutListeners.delete(listener)
}

/** The server has said so outside of a request of this client: the event stream ended with 401. */
export function announceSignedOut(): void {
  for (const listener of signedOutListeners) listener()
}

const guard: Middleware = {
  onRequest({ request }) {
    // Another site can make a browser send the cookie, but not this header.
    if (request.method !== 'GET') request.headers.set('X-Salar-Request', '1')
    return request
  },
  onResponse({ request, response }) {
    const signingIn = request.method === 'POST' && request.url.endsWith('/api/v1/session')
    if (response.status === 401 && !signingIn) announceSignedOut()
    return undefined
  },
}

export const client = createClient<paths>({
  baseUrl: location.origin,
  credentials: 'same-origin',
  fetch: (request) => fetch(request),
})
client.use(guard)

interface Answer<Data> {
  data?: Data
  error?: unknown
  response: Response
}

/**
 * The data of an answer.
 *
 * @throws ApiError when the status is 400 or above
 */
export async function dataOf<Data>(answer: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await answer
  if (!response.ok) throw new ApiError(problemFrom(response.status, error))
  if (data === undefined) throw new ApiError(problemFrom(response.status, error))
  return data
}

/**
 * A key under which the server recognises the same request sent twice.
 * Made from `getRandomValues`, which unlike `randomUUID` also exists on plain http to a host name.
 */
export function idempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
