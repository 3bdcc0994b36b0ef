/** A value that components can follow and anybody can change. */
import { useSyncExternalStore } from 'react'

export interface Store<Value> {
  get: () => Value
  set: (next: Value | ((now: Value) => Value)) => void
  subscribe: (listener: () => void) => () => void
}

export function makeStore<Value>(first: Value): Store<Value> {
  let value = first
  const listeners = new Set<() => void>()
  const isChange = (next: Value | ((now: Value) => Value)): next is (now: Value) => Value =>
    typeof next === 'function'
  return {
    get: () => value,
    set(next) {
      value = isChange(next) ? next(value) : next
      for (const listener of listeners) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export function useStore<Value>(store: Store<Value>): Value {
  return useSyncExternalStore(store.subscribe, store.get)
}
