/** What the page's object offers, for the palette. */
import { useEffect } from 'react'
import { makeStore } from './store'

export interface PageAction {
  label: string
  /** Why it cannot be done now. */
  reason?: string
  run: () => void
}

export const pageActions = makeStore<readonly PageAction[]>([])

/** Offers `actions` while the page is shown. `actions` must keep its identity while it means the same. */
export function usePageActions(actions: readonly PageAction[]): void {
  useEffect(() => {
    pageActions.set(actions)
    return () => pageActions.set([])
  }, [actions])
}
