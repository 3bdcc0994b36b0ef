/**
 * A table of living rows: only those near the screen are in the document, each subscribes to itself.
 *
 * Rows are plain `<tr>` and `<td>` with PatternFly's class names, of one fixed height; one menu serves all rows.
 */
import { Alert, Button } from '@patternfly/react-core'
import { useVirtualizer, defaultRangeExtractor, type Range } from '@tanstack/react-virtual'
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import type { CollectionName, Rows } from '../../api/types'
import type { LiveList, ListView } from '../../live/list'
import { list as words } from '../../text/en'
import { phone, useMedia } from '../media'
import { ProblemAlert } from '../ProblemAlert'
import { useSettings } from '../settings'
import { HeadCell } from './HeadCell'
import { LiveRow, type RowActions } from './LiveRow'
import { indexOfRow, isSelected, loadedIds, SelectAll, SkeletonRows, spaced } from './pieces'
import { rowHeights, type Column } from './columns'
import { useRowHold } from './useRowHold'
import { useRowKeys } from './useRowKeys'

export interface LiveTableProps<Name extends CollectionName> {
  name: Name
  list: LiveList<Rows[Name]>
  view: ListView
  columns: readonly Column<Rows[Name]>[]
  /** Name of a row for people, and its page where it has one. */
  label: (row: Rows[Name]) => string
  href?: (id: string) => string
  onOpen?: (id: string) => void
  /** Second line of a card on a phone. */
  card?: (row: Rows[Name]) => ReactNode
  widths: ReadonlyMap<string, number>
  onWidth: (key: string, width: number | undefined) => void
  sort: string | undefined
  onSort: (word: string) => void
  selected?: ReadonlySet<string>
  onSelect?: (id: string, on: boolean) => void
  onSelectAll?: (on: boolean, ids: readonly string[]) => void
  /** Opens the one menu at the button of a row. */
  onMenu?: (id: string, anchor: HTMLElement) => void
  menuId?: string
  empty: ReactNode
}

/** Width of a letter of a name in pixels, on the average. */
const letterWidth = 6.9

export function LiveTable<Name extends CollectionName>(props: LiveTableProps<Name>) {
  const { name, list, view, columns, selected } = props
  const scroller = useRef<HTMLDivElement>(null)
  const isPhone = useMedia(phone)
  const { density } = useSettings()
  const rowHeight = isPhone ? rowHeights.card : rowHeights[density]
  const [focused, setFocused] = useState<number | undefined>(undefined)

  const keepFocused = useCallback(
    (range: Range) => {
      const indices = defaultRangeExtractor(range)
      const keep = focused !== undefined && focused < range.count && !indices.includes(focused)
      return keep ? [...indices, focused].sort((one, other) => one - other) : indices
    },
    [focused],
  )
  const virtual = useVirtualizer({
    count: view.total,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 6,
    rangeExtractor: keepFocused,
  })
  useEffect(() => virtual.measure(), [virtual, rowHeight])

  const range = virtual.range
  const first = range?.startIndex ?? 0
  const last = range?.endIndex ?? 0
  useEffect(() => list.setRange(first, last), [list, view, first, last])
  useEffect(() => {
    if (scroller.current !== null) scroller.current.scrollTop = 0
  }, [view.query])

  const hold = useRowHold(list, (selected?.size ?? 0) > 0 || props.menuId !== undefined)
  useRowKeys({ view, virtual, scroller, onSelect: props.onSelect, selected })

  const { onOpen, onSelect, onMenu, href, label, card } = props
  const actions = useMemo<RowActions<Rows[Name]>>(
    () => ({ onOpen, onSelect, onMenu, href, label, card }),
    [onOpen, onSelect, onMenu, href, label, card],
  )

  const items = virtual.getVirtualItems()
  const shownIds = useMemo(() => loadedIds(view), [view])
  const selects = props.onSelectAll !== undefined
  const columnCount = columns.length + (selects ? 1 : 0) + (onMenu === undefined ? 0 : 1)
  const minWidth = columns.reduce(
    (sum, column) => sum + (props.widths.get(column.key) ?? column.width),
    selects ? 90 : 0,
  )

  const titleWidth = props.widths.get(columns[0]?.key ?? '') ?? columns[0]?.width ?? 0
  const titleLetters = isPhone ? 30 : Math.floor((titleWidth - 20) / letterWidth)

  if (view.error !== undefined && view.isFirstLoad) {
    return <ProblemAlert error={view.error} onRetry={() => list.retry()} />
  }
  if (!view.isFirstLoad && view.total === 0) return <>{props.empty}</>
  return (
    <div className="live-table">
      {view.moved > 0 && (
        <div className="moved-notice" role="status">
          {words.moved(view.moved)} ·{' '}
          <Button variant="link" isInline onClick={() => list.refreshOrder()}>
            {words.refreshOrder}
          </Button>
        </div>
      )}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scroll area has to take the arrow keys */}
      <div
        className="live-table-scroll"
        ref={scroller}
        role="region"
        aria-label={words.region(name)}
        tabIndex={0}
      >
        <table
          className="pf-v6-c-table pf-m-compact live-table-table"
          style={isPhone ? undefined : { minWidth }}
          aria-label={words.table(name)}
          aria-rowcount={view.isFirstLoad ? -1 : view.total + 1}
          aria-busy={view.isFirstLoad || view.isStale}
        >
          <colgroup>
            {selects && <col style={{ width: 40 }} />}
            {columns.map((column) => (
              <col key={column.key} style={{ width: props.widths.get(column.key) ?? column.width }} />
            ))}
            {onMenu !== undefined && <col style={{ width: 50 }} />}
          </colgroup>
          <thead className="pf-v6-c-table__thead">
            <tr className="pf-v6-c-table__tr" aria-rowindex={1}>
              {selects && (
                <th className="pf-v6-c-table__th check-cell" scope="col">
                  <SelectAll ids={shownIds} selected={selected} onSelectAll={props.onSelectAll} />
                </th>
              )}
              {columns.map((column) => (
                <HeadCell
                  key={column.key}
                  column={column}
                  sort={props.sort}
                  width={props.widths.get(column.key) ?? column.width}
                  onSort={props.onSort}
                  onWidth={props.onWidth}
                />
              ))}
              {onMenu !== undefined && (
                <th className="pf-v6-c-table__th" scope="col">
                  <span className="pf-v6-screen-reader">{words.menus}</span>
                </th>
              )}
            </tr>
          </thead>
          {view.isFirstLoad ? (
            <SkeletonRows columns={columnCount} />
          ) : (
            <tbody
              className="pf-v6-c-table__tbody"
              onPointerOver={hold.onPointerOver}
              onPointerLeave={hold.onPointerLeave}
              onFocus={(event) => {
                hold.onFocus(event)
                setFocused(indexOfRow(event.target))
              }}
              onBlur={(event) => {
                hold.onBlur(event)
                if (!event.currentTarget.contains(event.relatedTarget)) setFocused(undefined)
              }}
            >
              {spaced(items, virtual.getTotalSize(), columnCount, view.idAt, (index) => (
                <LiveRow
                  index={index}
                  id={view.idAt(index)}
                  name={name}
                  columns={columns}
                  actions={actions}
                  isPhone={isPhone}
                  titleLetters={titleLetters}
                  isSelected={isSelected(selected, view.idAt(index))}
                  isMenuOpen={props.menuId !== undefined && props.menuId === view.idAt(index)}
                />
              ))}
            </tbody>
          )}
        </table>
      </div>
      {view.error !== undefined && (
        <Alert component="p" variant="warning" isInline isPlain title={words.stale} />
      )}
    </div>
  )
}
