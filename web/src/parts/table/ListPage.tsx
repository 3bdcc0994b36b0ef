/** A list in full: filter, facets, columns, rows; all of its state in the URL. */
import { Button, Label, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { useRef, type ReactNode } from 'react'
import type { CollectionName, Facet, Rows } from '../../api/types'
import { list as words } from '../../text/en'
import { NoMatch } from '../EmptyList'
import {
  formatWidths,
  nextSort,
  parseWidths,
  splitComma,
  toggleComma,
  useListSearch,
  type ListSearch,
} from '../listSearch'
import { phone, useMedia } from '../media'
import { shapeOfStatus, type Shape } from '../shapes'
import { useList } from '../useLive'
import { useWidth } from '../useWidth'
import { ColumnChooser } from './ColumnChooser'
import { shownColumns, type Column } from './columns'
import { FacetFilter, facetLabel } from './FacetFilter'
import { FilterSheet, type FacetField } from './FilterSheet'
import { FilterField } from './FilterField'
import { LiveTable } from './LiveTable'

interface ListPageProps<Name extends CollectionName> {
  name: Name
  columns: readonly Column<Rows[Name]>[]
  label: (row: Rows[Name]) => string
  defaultSort: string
  href?: (id: string) => string
  onOpen?: (id: string) => void
  card?: (row: Rows[Name]) => ReactNode
  selected?: ReadonlySet<string>
  onSelect?: (id: string, on: boolean) => void
  onSelectAll?: (on: boolean, ids: readonly string[]) => void
  onMenu?: (id: string, anchor: HTMLElement) => void
  menuId?: string
  shapeOf?: (status: string) => Shape
  /** The list has no objects at all. */
  empty: ReactNode
  /** Between toolbar and table. */
  children?: ReactNode
}

const facetFields = ['status', 'host'] as const satisfies readonly FacetField[]

export function ListPage<Name extends CollectionName>(props: ListPageProps<Name>) {
  const { name, columns, shapeOf = shapeOfStatus, defaultSort, empty, children, ...table } = props
  const { search, query, change } = useListSearch(defaultSort)
  const { list, view } = useList(name, query)
  const box = useRef<HTMLDivElement>(null)
  const room = useWidth(box)
  const isPhone = useMedia(phone)
  const fits = (from: number) => room >= from
  const shown = shownColumns(columns, splitComma(search.cols), fits)
  const widths = parseWidths(search.widths)
  const isFiltered = [search.search, search.status, search.host].some((value) => value !== undefined)
  const fields = facetFields.filter((field) => name !== 'hosts' || field !== 'host')
  const toggle = (field: FacetField, value: string) => change({ [field]: toggleComma(search[field], value) })
  const clear = () => change({ search: undefined, status: undefined, host: undefined })
  const setWidth = (key: string, width: number | undefined) => {
    const next = new Map(widths)
    if (width === undefined) next.delete(key)
    else next.set(key, width)
    change({ widths: formatWidths(next) }, true)
  }
  return (
    <div className="list-page" ref={box}>
      <Toolbar className="list-toolbar" inset={{ default: 'insetNone' }} colorVariant="no-background">
        <ToolbarContent>
          <ToolbarItem className="list-filter">
            <FilterField
              name={name}
              value={search.search ?? ''}
              onChange={(text) => change({ search: text === '' ? undefined : text }, true)}
            />
          </ToolbarItem>
          {isPhone && view.facets.length > 0 && (
            <ToolbarItem>
              <FilterSheet
                name={name}
                facets={view.facets}
                fields={fields}
                search={search}
                total={view.total}
                shapeOf={shapeOf}
                onToggle={toggle}
              />
            </ToolbarItem>
          )}
          {!isPhone &&
            fields.map((field) => {
              const facet = view.facets.find((one) => one.field === field)
              if (facet === undefined || (facet.values.length === 0 && search[field] === undefined))
                return null
              return (
                <ToolbarItem key={field}>
                  <FacetFilter
                    facet={facet}
                    chosen={search[field]}
                    onToggle={(value) => toggle(field, value)}
                    shapeOf={shapeOf}
                  />
                </ToolbarItem>
              )
            })}
          <ToolbarItem className="wide-only">
            <ColumnChooser
              columns={columns}
              shown={shown.map((column) => column.key)}
              onChange={(keys) => change({ cols: keys.join(',') })}
            />
          </ToolbarItem>
          <ToolbarItem align={{ default: 'alignEnd' }} alignSelf="center">
            <span className="list-total live-figure" role="status">
              {view.isFirstLoad ? '' : words.total(name, view.total)}
            </span>
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {isFiltered && <Chips search={search} facets={view.facets} change={change} onClear={clear} />}
      {children}
      <LiveTable
        {...table}
        name={name}
        list={list}
        view={view}
        columns={shown}
        widths={widths}
        onWidth={setWidth}
        sort={query.sort}
        onSort={(word) => change({ sort: nextSort(query.sort, word) })}
        empty={isFiltered ? <NoMatch name={name} onClear={clear} /> : empty}
      />
    </div>
  )
}

interface ChipsProps {
  search: ListSearch
  facets: readonly Facet[]
  change: (next: Partial<ListSearch>) => void
  onClear: () => void
}

function Chips({ search, facets, change, onClear }: ChipsProps) {
  return (
    <div className="chips">
      {facetFields.flatMap((field) =>
        splitComma(search[field]).map((value) => {
          const label = facetLabel(facets, field, value)
          return (
            <Label
              key={`${field} ${value}`}
              isCompact
              variant="outline"
              onClose={() => change({ [field]: toggleComma(search[field], value) })}
              closeBtnAriaLabel={words.remove(label)}
            >
              {label}
            </Label>
          )
        }),
      )}
      <Button variant="link" isInline size="sm" onClick={onClear}>
        {words.clearFilter}
      </Button>
    </div>
  )
}
