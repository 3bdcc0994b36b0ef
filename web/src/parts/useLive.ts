/** Living data for components: thin hooks over `live/`. */
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import type { CollectionName, ListQuery, Rows } from '../api/types'
import type { Seen } from '../live/collection'
import type { LiveList, ListView } from '../live/list'
import { collections, linkStore, makeList, wanted, type LinkView } from '../live/live'
import type { Wanted } from '../live/wanted'

/** A list that lives as long as the component. */
export function useList<Name extends CollectionName>(
  name: Name,
  query: ListQuery,
  limit?: number,
): { list: LiveList<Rows[Name]>; view: ListView } {
  const [list] = useState(() => makeList(name, limit))
  const { search, status, host, sort } = query
  useEffect(() => list.setQuery({ search, status, host, sort }), [list, search, status, host, sort])
  useEffect(() => list.start(), [list])
  const view = useSyncExternalStore(list.subscribe, list.snapshot)
  return { list, view }
}

/** A row by id, as it was last seen. */
export function useSeen<Name extends CollectionName>(
  name: Name,
  id: string | undefined,
): Seen<Rows[Name]> | undefined {
  const collection = collections[name]
  const subscribe = useMemo(
    () => (listener: () => void) => (id === undefined ? () => undefined : collection.subscribe(id, listener)),
    [collection, id],
  )
  return useSyncExternalStore(subscribe, () => (id === undefined ? undefined : seenOf(name, id)))
}

function seenOf<Name extends CollectionName>(name: Name, id: string): Seen<Rows[Name]> | undefined {
  return collections[name].see(id)
}

/** What has been asked of a VM and is not true yet. */
export function useWanted(vmId: string): Wanted | undefined {
  const subscribe = useMemo(() => (listener: () => void) => wanted.subscribe(vmId, listener), [vmId])
  return useSyncExternalStore(subscribe, () => wanted.get(vmId))
}

export function useLink(): LinkView {
  return useSyncExternalStore(linkStore.subscribe, linkStore.snapshot)
}
