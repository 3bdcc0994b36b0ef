/** The head of a column: sorts by click, gets wider by drag or by arrow keys. */
import { useRef, type KeyboardEvent, type PointerEvent } from 'react'
import { list as words } from '../../text/en'
import type { Column } from './columns'

interface HeadCellProps<Row> {
  column: Column<Row>
  sort: string | undefined
  width: number
  onSort: (word: string) => void
  /** Undefined: the usual width. */
  onWidth: (key: string, width: number | undefined) => void
}

const narrowest = 60
const step = 16

export function HeadCell<Row>({ column, sort, width, onSort, onWidth }: HeadCellProps<Row>) {
  const direction = column.sort === undefined ? undefined : directionOf(sort, column.sort)
  const word = column.sort
  return (
    <th
      className={`pf-v6-c-table__th${column.align === 'end' ? ' align-end' : ''}`}
      scope="col"
      aria-sort={word === undefined ? undefined : (direction ?? 'none')}
    >
      {word === undefined ? (
        <span className="head-label">{column.label}</span>
      ) : (
        <button
          type="button"
          className="head-sort"
          title={words.sortBy(column.label)}
          onClick={() => onSort(word)}
        >
          <span className="head-label">{column.label}</span>
          <svg className="sort-mark" viewBox="0 0 10 12" aria-hidden="true" data-direction={direction}>
            <path className="up" d="M5 0 9 5H1Z" />
            <path className="down" d="M5 12 1 7h8Z" />
          </svg>
        </button>
      )}
      <Grip label={words.resize(column.label)} width={width} onWidth={(next) => onWidth(column.key, next)} />
    </th>
  )
}

function directionOf(sort: string | undefined, word: string): 'ascending' | 'descending' | undefined {
  if (sort === word) return 'ascending'
  return sort === `-${word}` ? 'descending' : undefined
}

function Grip({
  label,
  width,
  onWidth,
}: {
  label: string
  width: number
  onWidth: (width?: number) => void
}) {
  const start = useRef<{ x: number; width: number } | undefined>(undefined)
  const onPointerDown = (event: PointerEvent<HTMLSpanElement>) => {
    const cell = event.currentTarget.parentElement
    start.current = { x: event.clientX, width: cell?.offsetWidth ?? width }
    event.currentTarget.setPointerCapture(event.pointerId)
  }
  const onPointerMove = (event: PointerEvent) => {
    if (start.current === undefined) return
    const direction = document.documentElement.dir === 'rtl' ? -1 : 1
    onWidth(Math.max(narrowest, start.current.width + (event.clientX - start.current.x) * direction))
  }
  const onPointerUp = () => {
    start.current = undefined
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowRight') onWidth(width + step)
    else if (event.key === 'ArrowLeft') onWidth(Math.max(narrowest, width - step))
    else if (event.key === 'Escape' || event.key === 'Delete') onWidth(undefined)
    else return
    event.preventDefault()
  }
  return (
    // A focusable separator is a control: arrow keys move it (WAI-ARIA, window splitter).
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <span
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={narrowest}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      className="grip"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
      onDoubleClick={() => onWidth(undefined)}
      onKeyDown={onKeyDown}
    />
  )
}
