/** Small parts of the live table. */
import { Skeleton } from '@patternfly/react-core'
import type { VirtualItem } from '@tanstack/react-virtual'
import { Fragment, useEffect, useRef, type ReactNode } from 'react'
import type { ListView } from '../../live/list'
import { common, list as words } from '../../text/en'

const skeletonRows = 8

export function SkeletonRows({ columns }: { columns: number }) {
  return (
    <tbody className="pf-v6-c-table__tbody skeleton-rows">
      {Array.from({ length: skeletonRows }, (_, row) => (
        <tr className="pf-v6-c-table__tr" key={row}>
          {Array.from({ length: columns }, (__, cell) => (
            <td className="pf-v6-c-table__td" key={cell}>
              <Skeleton screenreaderText={row + cell === 0 ? common.loading : undefined} />
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  )
}

/** The rows of `items` with hidden rows between that take the room of those not in the document. */
export function spaced(
  items: readonly VirtualItem[],
  totalSize: number,
  columns: number,
  idAt: (index: number) => string | undefined,
  row: (index: number) => ReactNode,
): ReactNode {
  let end = 0
  const keys = new Set<string>()
  // Rows keep their elements when they move: a click that has begun must not end on another object.
  const keyOf = (index: number) => {
    const id = idAt(index)
    const key = id === undefined || keys.has(id) ? `at ${index}` : id
    keys.add(key)
    return key
  }
  const parts = items.map((item) => {
    const gap = item.start - end
    end = item.end
    return (
      <Fragment key={keyOf(item.index)}>
        {gap > 0 && <Spacer height={gap} columns={columns} />}
        {row(item.index)}
      </Fragment>
    )
  })
  return (
    <>
      {parts}
      {totalSize > end && <Spacer height={totalSize - end} columns={columns} />}
    </>
  )
}

function Spacer({ height, columns }: { height: number; columns: number }) {
  return (
    <tr aria-hidden="true" className="spacer" style={{ height }}>
      <td colSpan={columns} />
    </tr>
  )
}

/** Ids of all loaded rows, in order. */
export function loadedIds(view: ListView): string[] {
  const ids: string[] = []
  for (let index = 0; index < view.total; index += 1) {
    const id = view.idAt(index)
    if (id !== undefined) ids.push(id)
  }
  return ids
}

export function isSelected(
  selected: ReadonlySet<string> | undefined,
  id: string | undefined,
): boolean | undefined {
  return selected === undefined ? undefined : id !== undefined && selected.has(id)
}

/** Index of the row that an element is in. */
export function indexOfRow(target: EventTarget): number | undefined {
  const row = target instanceof Element ? target.closest('tr[data-index]') : null
  const index = Number(row?.getAttribute('data-index') ?? Number.NaN)
  return Number.isNaN(index) ? undefined : index
}

interface SelectAllProps {
  ids: readonly string[]
  selected: ReadonlySet<string> | undefined
  onSelectAll: ((on: boolean, ids: readonly string[]) => void) | undefined
}

export function SelectAll({ ids, selected, onSelectAll }: SelectAllProps) {
  const box = useRef<HTMLInputElement>(null)
  const count = ids.filter((id) => selected?.has(id)).length
  const some = count > 0 && count < ids.length
  useEffect(() => {
    if (box.current !== null) box.current.indeterminate = some
  }, [some])
  return (
    <input
      ref={box}
      type="checkbox"
      aria-label={words.selectAll}
      checked={ids.length > 0 && count === ids.length}
      onChange={(event) => onSelectAll?.(event.target.checked, ids)}
    />
  )
}
