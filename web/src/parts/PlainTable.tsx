/** Small tables of facts. They scroll sideways by themselves when they must. */
import type { ReactNode } from 'react'

interface TableFrameProps {
  label: string
  heads: readonly string[]
  className?: string
  /** The rows, and whatever belongs to them. */
  children: ReactNode
}

/** A table whose rows have more than text. */
export function TableFrame({ label, heads, className = '', children }: TableFrameProps) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scroll area has to take the arrow keys
    <div className="plain-table" role="group" aria-label={label} tabIndex={0}>
      <table className={`pf-v6-c-table pf-m-compact ${className}`} aria-label={label}>
        <thead className="pf-v6-c-table__thead">
          <tr className="pf-v6-c-table__tr">
            {heads.map((head) => (
              <th key={head} className="pf-v6-c-table__th" scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="pf-v6-c-table__tbody">{children}</tbody>
      </table>
    </div>
  )
}

interface PlainTableProps {
  label: string
  heads: readonly string[]
  rows: readonly (readonly string[])[]
  empty: string
}

export function PlainTable({ label, heads, rows, empty }: PlainTableProps) {
  if (rows.length === 0) return <p className="quiet">{empty}</p>
  return (
    <TableFrame label={label} heads={heads}>
      {rows.map((cells) => (
        <tr className="pf-v6-c-table__tr" key={cells.join('\n')}>
          {cells.map((cell, at) => (
            <td className="pf-v6-c-table__td" translate="no" title={cell} key={heads[at]}>
              {cell}
            </td>
          ))}
        </tr>
      ))}
    </TableFrame>
  )
}
