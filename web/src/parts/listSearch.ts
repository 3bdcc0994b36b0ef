/** The state of a list as it stands in the URL. */
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import type { ListQuery } from '../api/types'

export interface ListSearch {
  search?: string
  /** Comma list. */
  status?: string
  /** Comma list of host ids. */
  host?: string
  /** `name`, `-memory`. */
  sort?: string
  /** Columns shown, when not the usual ones. */
  cols?: string
  /** `name.320,host.200`: widths in pixels, where changed. */
  widths?: string
}

const keys = ['search', 'status', 'host', 'sort', 'cols', 'widths'] as const

/** Keeps what a list knows and drops the rest. */
export function parseListSearch(raw: Record<string, unknown>): ListSearch {
  const search: ListSearch = {}
  for (const key of keys) {
    const value = raw[key]
    if (typeof value === 'string' && value !== '') search[key] = value
  }
  return search
}

/** Comma list, empty for undefined. */
export function splitComma(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(',')
}

/** Adds a value to a comma list, or takes it out; undefined when none is left. */
export function toggleComma(text: string | undefined, value: string): string | undefined {
  const values = splitComma(text)
  const next = values.includes(value) ? values.filter((one) => one !== value) : [...values, value]
  return next.length === 0 ? undefined : next.join(',')
}

/** The next sort after a click on a column: up, then down. */
export function nextSort(current: string | undefined, word: string): string {
  return current === word ? `-${word}` : word
}

export function parseWidths(text: string | undefined): Map<string, number> {
  const widths = new Map<string, number>()
  for (const part of splitComma(text)) {
    const [key, width] = part.split('.')
    const pixels = Number(width)
    if (key !== undefined && Number.isInteger(pixels) && pixels >= 40 && pixels <= 2000)
      widths.set(key, pixels)
  }
  return widths
}

export function formatWidths(widths: ReadonlyMap<string, number>): string | undefined {
  if (widths.size === 0) return undefined
  return [...widths].map(([key, width]) => `${key}.${Math.round(width)}`).join(',')
}

/** Reads and writes the list's state. `typing` replaces the history entry, anything else adds one. */
export function useListSearch(defaultSort: string): {
  search: ListSearch
  query: ListQuery
  change: (next: Partial<ListSearch>, typing?: boolean) => void
} {
  const raw: Record<string, unknown> = useSearch({ strict: false })
  const search = useMemo(() => parseListSearch(raw), [raw])
  const navigate = useNavigate()
  const change = useCallback(
    (next: Partial<ListSearch>, typing = false) => {
      void navigate({
        to: '.',
        search: (previous: Record<string, unknown>) => parseListSearch({ ...previous, ...next }),
        replace: typing,
        resetScroll: false,
      })
    },
    [navigate],
  )
  const query = useMemo<ListQuery>(
    () => ({
      search: search.search,
      status: search.status,
      host: search.host,
      sort: search.sort ?? defaultSort,
    }),
    [search, defaultSort],
  )
  return { search, query, change }
}
