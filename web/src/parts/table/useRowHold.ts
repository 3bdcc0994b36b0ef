/** Tells a list which rows the person is at, so that they do not move under the pointer. */
import { useEffect, useMemo, useRef, type FocusEvent, type PointerEvent } from 'react'
import type { LiveList } from '../../live/list'
import type { LiveRow } from '../../live/collection'

export interface RowHold {
  onPointerOver: (event: PointerEvent) => void
  onPointerLeave: () => void
  onFocus: (event: FocusEvent) => void
  onBlur: (event: FocusEvent) => void
}

export function useRowHold<Row extends LiveRow>(list: LiveList<Row>, frozen: boolean): RowHold {
  useEffect(() => list.setFrozen(frozen), [list, frozen])
  const at = useRef<{ pointer?: string; focus?: string }>({})
  return useMemo(() => {
    const move = (next: { pointer?: string; focus?: string }) => {
      const { pointer, focus } = { ...at.current, ...next }
      if (pointer === at.current.pointer && focus === at.current.focus) return
      at.current = { pointer, focus }
      list.setAnchors([pointer, focus].filter((id) => id !== undefined))
    }
    return {
      onPointerOver: (event) => move({ pointer: rowId(event.target) }),
      onPointerLeave: () => move({ pointer: undefined }),
      onFocus: (event) => move({ focus: rowId(event.target) }),
      onBlur(event) {
        if (!event.currentTarget.contains(event.relatedTarget)) move({ focus: undefined })
      },
    }
  }, [list])
}

function rowId(target: EventTarget): string | undefined {
  const row = target instanceof Element ? target.closest('tr[data-id]') : null
  return row?.getAttribute('data-id') ?? undefined
}
