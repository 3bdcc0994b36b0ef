/** One ticking clock for all relative times of the page. */
import { useSyncExternalStore } from 'react'

function clock(every: number) {
  let now = Date.now()
  let timer: ReturnType<typeof setInterval> | undefined
  const listeners = new Set<() => void>()
  return {
    subscribe(listener: () => void): () => void {
      listeners.add(listener)
      now = Date.now()
      timer ??= setInterval(() => {
        now = Date.now()
        for (const told of listeners) told()
      }, every)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
    snapshot: () => now,
  }
}

const slow = clock(10_000)
const fast = clock(1_000)

/** `Date.now()`, every ten seconds. */
export function useNow(): number {
  return useSyncExternalStore(slow.subscribe, slow.snapshot)
}

/** `Date.now()`, every second; for what is watched for a short time only. */
export function useSeconds(): number {
  return useSyncExternalStore(fast.subscribe, fast.snapshot)
}
