/** Everything the interface asks of the API, by name. */
import { queryOptions } from '@tanstack/react-query'
import { client, dataOf, idempotencyKey } from './client'
import { ApiError, problemFrom } from './problem'
import type {
  Accepted,
  Action,
  CollectionName,
  Job,
  ListQuery,
  NewHost,
  PowerAction,
  Rows,
  RunRequest,
  Session,
  VmDetail,
  Window,
} from './types'

export const aboutQuery = queryOptions({
  queryKey: ['about'],
  queryFn: () => dataOf(client.GET('/api/v1/about')),
  staleTime: 60_000,
})

/** Who is signed in; null when nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async (): Promise<Session | null> => {
    const { data, error, response } = await client.GET('/api/v1/session')
    if (response.status === 401) return null
    if (!response.ok || data === undefined) throw new ApiError(problemFrom(response.status, error))
    return data
  },
  staleTime: Infinity,
})

export function signIn(user: string, password: string): Promise<Session> {
  return dataOf(client.POST('/api/v1/session', { body: { user, password } }))
}

export async function signOut(): Promise<void> {
  const { error, response } = await client.DELETE('/api/v1/session')
  if (!response.ok && response.status !== 401) throw new ApiError(problemFrom(response.status, error))
}

/** `gen` is part of the key: a change of the row makes the detail stale. */
export const vmQuery = (id: string, gen: number | undefined) =>
  queryOptions({
    queryKey: ['vm', id, gen],
    queryFn: () => dataOf(client.GET('/api/v1/vms/{id}', { params: { path: { id } } })),
  })

export const hostQuery = (id: string, gen: number | undefined) =>
  queryOptions({
    queryKey: ['host', id, gen],
    queryFn: () => dataOf(client.GET('/api/v1/hosts/{id}', { params: { path: { id } } })),
  })

/** Past the cache: what the server knows now. */
export function readVm(id: string): Promise<VmDetail> {
  return dataOf(client.GET('/api/v1/vms/{id}', { params: { path: { id } } }))
}

export const vmXmlQuery = (id: string, gen: number | undefined) =>
  queryOptions({
    queryKey: ['vm', id, 'xml', gen],
    queryFn: () => dataOf(client.GET('/api/v1/vms/{id}/xml', { params: { path: { id } } })),
  })

const powerPaths = {
  start: '/api/v1/vms/{id}/start',
  shutdown: '/api/v1/vms/{id}/shutdown',
  reboot: '/api/v1/vms/{id}/reboot',
  force_off: '/api/v1/vms/{id}/force_off',
  reset: '/api/v1/vms/{id}/reset',
  pause: '/api/v1/vms/{id}/pause',
  resume: '/api/v1/vms/{id}/resume',
  save: '/api/v1/vms/{id}/save',
} as const

/** Asks for a life-cycle action. `gen` is that of the row the person saw. */
export function requestPower(id: string, action: PowerAction, gen: number): Promise<Accepted> {
  return dataOf(
    client.POST(powerPaths[action], {
      params: { path: { id } },
      headers: { 'Idempotency-Key': idempotencyKey() },
      body: { gen },
    }),
  )
}

export function cancelAction(id: string): Promise<Accepted> {
  return dataOf(
    client.POST('/api/v1/actions/{id}/cancel', {
      params: { path: { id } },
      headers: { 'Idempotency-Key': idempotencyKey() },
    }),
  )
}

export function retryAction(id: string): Promise<Accepted> {
  return dataOf(
    client.POST('/api/v1/actions/{id}/retry', {
      params: { path: { id } },
      headers: { 'Idempotency-Key': idempotencyKey() },
    }),
  )
}

/** Calls a function on every host that the target matches. */
export function createRun(body: RunRequest): Promise<Job> {
  return dataOf(client.POST('/api/v1/runs', { headers: { 'Idempotency-Key': idempotencyKey() }, body }))
}

/** The actions of a job never change, only what becomes of them. */
export const runQuery = (jid: string) =>
  queryOptions({
    queryKey: ['run', jid],
    queryFn: () => dataOf(client.GET('/api/v1/runs/{jid}', { params: { path: { jid } } })),
    staleTime: Infinity,
  })

/** An action with its result, which lists leave out. `gen` is part of the key, as in `vmQuery`. */
export const actionQuery = (id: string, gen: number | undefined) =>
  queryOptions({
    queryKey: ['action', id, gen],
    queryFn: (): Promise<Action> => dataOf(client.GET('/api/v1/actions/{id}', { params: { path: { id } } })),
  })

/** The keys that agents have shown. They come from outside of the store's feed, so that they are asked for again. */
export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: () => dataOf(client.GET('/api/v1/keys')),
  refetchInterval: 3_000,
})

export type KeyDecision = 'accept' | 'reject' | 'delete'

const keyPaths = {
  accept: '/api/v1/keys/{fingerprint}/accept',
  reject: '/api/v1/keys/{fingerprint}/reject',
} as const

export async function decideKey(fingerprint: string, decision: KeyDecision): Promise<void> {
  const params = { path: { fingerprint } }
  if (decision !== 'delete') {
    await dataOf(client.POST(keyPaths[decision], { params }))
    return
  }
  const { error, response } = await client.DELETE('/api/v1/keys/{fingerprint}', { params })
  if (!response.ok) throw new ApiError(problemFrom(response.status, error))
}

/** Removes a host that is gone, with everything on it. */
export async function removeHost(id: string): Promise<void> {
  const { error, response } = await client.DELETE('/api/v1/hosts/{id}', { params: { path: { id } } })
  if (!response.ok) throw new ApiError(problemFrom(response.status, error))
}

/** The keys that a host shows over ssh, for somebody to compare. */
export function showHostKeys(uri: string) {
  return dataOf(client.POST('/api/v1/host_keys', { body: { uri } }))
}

/** Adds a host that has no agent of its own. */
export function addHost(host: NewHost) {
  return dataOf(client.POST('/api/v1/hosts', { body: host }))
}

/** A token to join for one host, good for an hour. */
export function createJoinToken() {
  return dataOf(client.POST('/api/v1/join_tokens', { body: {} }))
}

/** A ticket for one console connection: good once, for 30 seconds. */
export function openConsole(id: string) {
  return dataOf(
    client.POST('/api/v1/vms/{id}/console', {
      params: { path: { id } },
      headers: { 'Idempotency-Key': idempotencyKey() },
    }),
  )
}

interface WindowRequest extends ListQuery {
  offset: number
  limit: number
}

type Fetchers = {
  [Name in CollectionName]: (query: WindowRequest, signal?: AbortSignal) => Promise<Window<Rows[Name]>>
}

/** Windows of the collections that live. */
export const fetchWindow: Fetchers = {
  vms: (query, signal) => windowOf(client.GET('/api/v1/vms', { params: { query }, signal })),
  hosts: (query, signal) => windowOf(client.GET('/api/v1/hosts', { params: { query }, signal })),
  pools: (query, signal) => windowOf(client.GET('/api/v1/pools', { params: { query }, signal })),
  networks: (query, signal) => windowOf(client.GET('/api/v1/networks', { params: { query }, signal })),
  actions: (query, signal) => windowOf(client.GET('/api/v1/actions', { params: { query }, signal })),
}

async function windowOf<Row>(
  answer: Promise<{
    data?: Omit<Window<Row>, 'facets'> & { facets?: Window<Row>['facets'] }
    error?: unknown
    response: Response
  }>,
): Promise<Window<Row>> {
  const data = await dataOf(answer)
  return { ...data, facets: data.facets ?? [] }
}
