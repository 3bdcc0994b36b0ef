/** One row; it subscribes to its object, so a change of it renders nothing else. */
import { memo, type MouseEvent, type ReactNode } from 'react'
import type { CollectionName, Rows } from '../../api/types'
import { list as words } from '../../text/en'
import { Name } from '../Name'
import { StatusMark } from '../StatusMark'
import { useSeen } from '../useLive'
import { AgoText } from './AgoText'
import type { Column } from './columns'

export interface RowActions<Row> {
  label: (row: Row) => string
  href?: (id: string) => string
  onOpen?: (id: string) => void
  onSelect?: (id: string, on: boolean) => void
  onMenu?: (id: string, anchor: HTMLElement) => void
  card?: (row: Row) => ReactNode
}

interface LiveRowProps<Name extends CollectionName> {
  index: number
  id: string | undefined
  name: Name
  columns: readonly Column<Rows[Name]>[]
  actions: RowActions<Rows[Name]>
  isPhone: boolean
  /** How much of a name fits. */
  titleLetters: number
  /** Undefined when rows cannot be selected. */
  isSelected: boolean | undefined
  isMenuOpen: boolean
}

function LiveRowInner<Name extends CollectionName>(props: LiveRowProps<Name>) {
  const { index, id, name, columns, actions, isPhone, titleLetters, isSelected, isMenuOpen } = props
  const seen = useSeen(name, id)
  const extra = (isSelected === undefined ? 0 : 1) + (actions.onMenu === undefined ? 0 : 1)
  if (id === undefined || seen === undefined) {
    return (
      <tr className="pf-v6-c-table__tr" aria-rowindex={index + 2} data-index={index}>
        <td className="pf-v6-c-table__td" colSpan={columns.length + extra} />
      </tr>
    )
  }
  const { row, gone } = seen
  const label = actions.label(row)
  const trust = trustOf(row)
  const classes = [
    'pf-v6-c-table__tr',
    isSelected && 'pf-m-selected',
    gone && 'row-gone',
    trust && 'row-last-known',
  ]
  return (
    <tr
      className={classes.filter(Boolean).join(' ')}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      data-index={index}
      data-id={id}
    >
      {isSelected !== undefined && (
        <td className="pf-v6-c-table__td check-cell">
          <input
            type="checkbox"
            aria-label={words.selectRow(label)}
            checked={isSelected}
            disabled={gone}
            onChange={(event) => actions.onSelect?.(id, event.target.checked)}
          />
        </td>
      )}
      {columns.map((column, at) => (
        <td
          key={column.key}
          className={`pf-v6-c-table__td col-${column.key}${column.align === 'end' ? ' align-end' : ''}`}
          hidden={isPhone && at > 0}
        >
          {at === 0 ? (
            <Title id={id} label={label} letters={titleLetters} actions={actions} gone={gone} />
          ) : (
            column.cell(row)
          )}
          {at === 0 && isPhone && (
            <span className="card-line">
              {actions.card?.(row)}
              <LastKnown at={trust} />
            </span>
          )}
          {at === 0 && !isPhone && <LastKnown at={trust} />}
        </td>
      ))}
      {actions.onMenu !== undefined && (
        <td className="pf-v6-c-table__td menu-cell">
          <button
            type="button"
            className="row-menu-button"
            aria-label={words.rowMenu(label)}
            aria-haspopup="menu"
            aria-expanded={isMenuOpen}
            disabled={gone}
            onClick={(event) => actions.onMenu?.(id, event.currentTarget)}
          >
            <svg viewBox="0 0 4 16" aria-hidden="true">
              <path d="M2 1a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3Zm0 5.500a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3Zm0 5.500a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3Z" />
            </svg>
          </button>
        </td>
      )}
    </tr>
  )
}

export const LiveRow = memo(LiveRowInner) as typeof LiveRowInner

interface TitleProps<Row> {
  id: string
  label: string
  letters: number
  actions: RowActions<Row>
  gone: boolean
}

function Title<Row>({ id, label, letters, actions, gone }: TitleProps<Row>) {
  const text = <Name most={letters}>{label}</Name>
  if (gone) return <StatusMark status="gone" word={`${label} · ${words.gone}`} />
  if (actions.href === undefined) return text
  const open = (event: MouseEvent) => {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
    if (!plain || actions.onOpen === undefined) return
    event.preventDefault()
    actions.onOpen(id)
  }
  return (
    <a href={actions.href(id)} className="row-link" onClick={open}>
      {text}
    </a>
  )
}

function LastKnown({ at }: { at: string | undefined }) {
  if (at === undefined) return null
  return (
    <span className="last-known">
      <AgoText at={at} />
    </span>
  )
}

/** When a row of a host that cannot be read was last true; undefined while it can. */
function trustOf(row: object): string | undefined {
  if (!('host' in row) || typeof row.host !== 'object' || row.host === null) return undefined
  if (!('freshness' in row.host) || row.host.freshness === 'live') return undefined
  return 'observed_at' in row && typeof row.observed_at === 'string' ? row.observed_at : undefined
}
