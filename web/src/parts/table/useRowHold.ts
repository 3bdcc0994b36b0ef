/** Tells a list which rows the person is at, so that they do not move under the pointer. */
import { useEffect, useMemo, type FocusEvent, type PointerEvent } from 'react'
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
  return useMemo(() => {
    let pointer: string | undefined
    let focus: string | undefined
    const tell = () => list.setAnchors([pointer, focus].filter((id) => id !== undefined))
    return {
      onPointerOver(event) {
        const id = rowId(event.target)
        if (id === pointer) return
        pointer = id
        tell()
      },
      onPointerLeave() {
        pointer = undefined
        tell()
      },
      onFocus(event) {
        focus = rowId(event.target)
        tell()
      },
      onBlur(event) {
        if (event.currentTarget.contains(event.relatedTarget)) return
        focus = undefined
        tell()
      },
    }
  }, [list])
}

function rowId(target: EventTarget): string | undefined {
  const row = target instanceof Element ? target.closest('tr[data-id]') : null
  return row?.getAttribute('data-id') ?? undefined
}
