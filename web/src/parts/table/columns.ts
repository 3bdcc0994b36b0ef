/** Columns of a live table, and which of them fit. */
import type { ReactNode } from 'react'

export interface Column<Row> {
  key: string
  label: string
  /** Usual width in pixels. */
  width: number
  cell: (row: Row) => ReactNode
  /** Sort word of the API; absent when it cannot sort by this. */
  sort?: string
  align?: 'end'
  /** Falls away below this width of the window, unless chosen. */
  from?: number
  /** Shown only when chosen. */
  optional?: boolean
}

/** The columns to show: those chosen, or the usual ones that fit. The first always shows. */
export function shownColumns<Row>(
  columns: readonly Column<Row>[],
  chosen: readonly string[],
  fits: (from: number) => boolean,
): Column<Row>[] {
  return columns.filter((column, index) => {
    if (index === 0) return true
    if (chosen.length > 0) return chosen.includes(column.key)
    return column.optional !== true && (column.from === undefined || fits(column.from))
  })
}

/** Heights of rows in pixels; the style sheet has the same numbers, and a test compares them. */
export const rowHeights = { compact: 36, comfortable: 44, card: 60 } as const
