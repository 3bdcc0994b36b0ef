/** The living data of this tab: its collections, and the link that keeps them true. */
import { announceSignedOut } from '../api/client'
import { fetchWindow } from '../api/queries'
import type { ChangedObject, CollectionName, ListQuery, Rows } from '../api/types'
import { Collection } from './collection'
import { openLink, type Link } from './link'
import { LiveList, type ListSource } from './list'
import type { FeedMessage, LinkState } from './messages'
import { WantedStore } from './wanted'

export const collections: { readonly [Name in CollectionName]: Collection<Rows[Name]> } = {
  vms: new Collection(),
  hosts: new Collection(),
  pools: new Collection(),
  networks: new Collection(),
  actions: new Collection(),
}

export const wanted = new WantedStore()

/** How the link is, and which server it leads to. Immutable. */
export interface LinkView {
  state: LinkState
  /** The first build seen; pages of another build should be loaded again. */
  build: string | undefined
  buildChanged: boolean
}

let view: LinkView = {
  state: { kind: 'connecting' },
  build: undefined,
  buildChanged: false,
}
let link: Link | undefined
const linkListeners = new Set<() => void>()

export const linkStore = {
  subscribe(listener: () => void): () => void {
    linkListeners.add(listener)
    return () => linkListeners.delete(listener)
  },
  snapshot: (): LinkView => view,
  tryNow(): void {
    link?.send({ kind: 'try_now' })
  },
}

const gapListeners = new Set<() => void>()

/** Calls `listener` when events may have been missed: what was asked for by itself has to be asked for again. */
export function onGap(listener: () => void): () => void {
  gapListeners.add(listener)
  return () => gapListeners.delete(listener)
}

/** Starts the link for a signed-in person; what is returned ends it. */
export function startLive(): () => void {
  const opened = openLink(receive)
  link = opened
  const join = () => opened.send({ kind: 'join' })
  const leave = () => opened.send({ kind: 'leave' })
  const visibility = () => opened.send({ kind: 'visible', visible: document.visibilityState === 'visible' })
  join()
  visibility()
  document.addEventListener('visibilitychange', visibility)
  window.addEventListener('pagehide', leave)
  window.addEventListener('pageshow', join)
  return () => {
    document.removeEventListener('visibilitychange', visibility)
    window.removeEventListener('pagehide', leave)
    window.removeEventListener('pageshow', join)
    leave()
    link = undefined
  }
}

function receive(message: FeedMessage): void {
  switch (message.kind) {
    case 'state':
      show({ state: message.state })
      if (message.state.kind === 'signed_out') announceSignedOut()
      break
    case 'hello':
      show({
        build: view.build ?? message.build,
        buildChanged: (view.build ?? message.build) !== message.build,
      })
      if (!message.resumed) gap(message.position, false)
      break
    case 'reset':
      gap(message.position, true)
      break
    case 'change':
      takeChange(message.objects, message.position)
      break
  }
}

function show(change: Partial<LinkView>): void {
  view = { ...view, ...change }
  for (const listener of linkListeners) listener()
}

function gap(position: string, everything: boolean): void {
  for (const collection of Object.values(collections)) collection.gap(position, everything)
  for (const listener of gapListeners) listener()
}

function takeChange(objects: readonly ChangedObject[], position: string): void {
  for (const object of objects) {
    if (object.collection === 'vms' && object.row) wanted.onVm(object.row)
    if (object.collection === 'actions' && object.row) wanted.onAction(object.row)
  }
  const of = (name: CollectionName) => objects.filter((object) => object.collection === name)
  collections.vms.take(of('vms'), position, (object) =>
    object.collection === 'vms' ? (object.row ?? undefined) : undefined,
  )
  collections.hosts.take(of('hosts'), position, (object) =>
    object.collection === 'hosts' ? (object.row ?? undefined) : undefined,
  )
  collections.pools.take(of('pools'), position, (object) =>
    object.collection === 'pools' ? (object.row ?? undefined) : undefined,
  )
  collections.networks.take(of('networks'), position, (object) =>
    object.collection === 'networks' ? (object.row ?? undefined) : undefined,
  )
  collections.actions.take(of('actions'), position, (object) =>
    object.collection === 'actions' ? (object.row ?? undefined) : undefined,
  )
}

type Sources = { readonly [Name in CollectionName]: ListSource<Rows[Name]> }

const sources: Sources = {
  vms: {
    collection: collections.vms,
    fetch: fetchWindow.vms,
    place: (vm, query) => [vm.name, vm.status, vm.host.id, sortValue(vm, query)].join('\n'),
    matches: (vm, query) => isIn(vm.status, query.status) && isIn(vm.host.id, query.host),
  },
  hosts: {
    collection: collections.hosts,
    fetch: fetchWindow.hosts,
    place: (host, query) => [host.name, host.freshness, sortValue(host, query)].join('\n'),
    matches: (host, query) => isIn(host.freshness, query.status),
  },
  pools: {
    collection: collections.pools,
    fetch: fetchWindow.pools,
    place: (pool, query) => [pool.name, pool.status, pool.host.id, sortValue(pool, query)].join('\n'),
    matches: (pool, query) => isIn(pool.status, query.status) && isIn(pool.host.id, query.host),
  },
  networks: {
    collection: collections.networks,
    fetch: fetchWindow.networks,
    place: (network, query) =>
      [network.name, network.status, network.host.id, sortValue(network, query)].join('\n'),
    matches: (network, query) => isIn(network.status, query.status) && isIn(network.host.id, query.host),
  },
  actions: {
    collection: collections.actions,
    fetch: fetchWindow.actions,
    place: (action, query) => [action.status, sortValue(action, query)].join('\n'),
    matches: (action, query) => isIn(action.status, query.status) && isIn(action.host_id, query.host),
  },
}

export function makeList<Name extends CollectionName>(name: Name, limit?: number): LiveList<Rows[Name]> {
  return new LiveList<Rows[Name]>(sources[name], limit)
}

function isIn(value: string, comma: string | undefined): boolean {
  return comma === undefined || comma === '' || comma.split(',').includes(value)
}

/** Fields behind sort words that have another name. */
const sortFields: Record<string, string> = {
  memory: 'memory_bytes',
  capacity: 'capacity_bytes',
  nics: 'nic_count',
  vms: 'vms_total',
  last_seen: 'last_seen_at',
  created: 'created_at',
}

/** The value of the field that the list is sorted by. */
function sortValue(row: object, query: ListQuery): string {
  const word = (query.sort ?? '').replace(/^-/, '')
  const name = sortFields[word] ?? word
  const field = Object.entries(row).find(([key]) => key === name)
  return JSON.stringify(field?.[1] ?? '')
}
