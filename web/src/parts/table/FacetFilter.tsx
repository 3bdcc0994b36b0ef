/** A filter by the values of one field, each with its figure. */
import { Badge, MenuToggle, Select, SelectList, SelectOption } from '@patternfly/react-core'
import { useState } from 'react'
import type { Facet } from '../../api/types'
import { list as words, statusLabel } from '../../text/en'
import { countText } from '../format'
import { splitComma } from '../listSearch'
import { Name } from '../Name'
import { ShapeIcon } from '../StatusMark'
import type { Shape } from '../shapes'

interface FacetFilterProps {
  facet: Facet
  /** Comma list of chosen values. */
  chosen: string | undefined
  onToggle: (value: string) => void
  shapeOf?: (status: string) => Shape
}

export function FacetFilter({ facet, chosen, onToggle, shapeOf }: FacetFilterProps) {
  const [isOpen, setOpen] = useState(false)
  const values = splitComma(chosen)
  const label = words.facets[facet.field] ?? facet.field
  return (
    <Select
      role="menu"
      isOpen={isOpen}
      isScrollable
      popperProps={{ appendTo: 'inline' }}
      onOpenChange={setOpen}
      onSelect={(_event, value) => {
        if (typeof value === 'string') onToggle(value)
      }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          isExpanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          // With a figure beside it, what is seen is what it is called.
          aria-label={values.length === 0 ? words.facet(label) : undefined}
          badge={values.length > 0 ? <Badge isRead>{values.length}</Badge> : undefined}
        >
          {label}
        </MenuToggle>
      )}
    >
      <SelectList aria-label={words.facet(label)}>
        {facet.values.map((value) => (
          <SelectOption
            key={value.value}
            value={value.value}
            hasCheckbox
            isSelected={values.includes(value.value)}
          >
            <span className="facet-value">
              {shapeOf !== undefined && facet.field === 'status' && (
                <ShapeIcon shape={shapeOf(value.value)} />
              )}
              {facet.field === 'status' ? statusLabel(value.value) : <Name most={40}>{value.label}</Name>}
              <span className="facet-count">{countText(value.count)}</span>
            </span>
          </SelectOption>
        ))}
      </SelectList>
    </Select>
  )
}

/** What a chosen value is called; the value itself while no facet names it. */
export function facetLabel(facets: readonly Facet[], field: string, value: string): string {
  if (field === 'status') return statusLabel(value)
  const facet = facets.find((one) => one.field === field)
  return facet?.values.find((one) => one.value === value)?.label ?? value
}
