/** Keys of a table: j and k or arrows move, x selects; Enter opens, as it does on any link. */
import type { Virtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, type RefObject } from 'react'
import type { ListView } from '../../live/list'
import { isLetterShortcut } from '../keys'

interface RowKeys {
  view: ListView
  virtual: Virtualizer<HTMLDivElement, Element>
  scroller: RefObject<HTMLDivElement | null>
  selected: ReadonlySet<string> | undefined
  onSelect: ((id: string, on: boolean) => void) | undefined
}

export function useRowKeys(keys: RowKeys): void {
  const latest = useRef(keys)
  useEffect(() => {
    latest.current = keys
  })
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (handle(event, latest.current)) event.preventDefault()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [])
}

function handle(event: KeyboardEvent, keys: RowKeys): boolean {
  const row = document.activeElement?.closest('tr[data-index]') ?? null
  const inTable = row !== null && keys.scroller.current?.contains(row) === true
  const current = inTable ? Number(row.getAttribute('data-index')) : undefined
  const step = stepOf(event, current !== undefined)
  if (step !== undefined) {
    const next = current === undefined ? (keys.virtual.range?.startIndex ?? 0) : current + step
    focusRow(Math.max(0, Math.min(keys.view.total - 1, next)), keys)
    return keys.view.total > 0
  }
  if (event.key !== 'x' || current === undefined || !isLetterShortcut(event)) return false
  const id = keys.view.idAt(current)
  if (id !== undefined) keys.onSelect?.(id, keys.selected?.has(id) !== true)
  return true
}

function stepOf(event: KeyboardEvent, inTable: boolean): number | undefined {
  if (inTable && !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented) {
    const onSeparator = event.target instanceof Element && event.target.getAttribute('role') === 'separator'
    if (!onSeparator && event.key === 'ArrowDown') return 1
    if (!onSeparator && event.key === 'ArrowUp') return -1
  }
  if (!isLetterShortcut(event)) return undefined
  if (event.key === 'j') return 1
  return event.key === 'k' ? -1 : undefined
}

/** Scrolls to the row and focuses it as soon as it is in the document. */
function focusRow(index: number, keys: RowKeys, tries = 10): void {
  const row = keys.scroller.current?.querySelector(`tr[data-index="${index}"]`)
  // The link rather than the checkbox before it, so that Enter opens.
  const target = row?.querySelector<HTMLElement>('a') ?? row?.querySelector<HTMLElement>('input, button')
  if (target != null) {
    target.focus({ preventScroll: true })
    keys.virtual.scrollToIndex(index, { align: 'auto' })
    return
  }
  keys.virtual.scrollToIndex(index, { align: 'auto' })
  if (tries > 0) requestAnimationFrame(() => focusRow(index, keys, tries - 1))
}
