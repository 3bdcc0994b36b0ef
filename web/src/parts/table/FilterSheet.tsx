/** On phones all filters stand in one sheet at the foot of the screen, behind one button. */
import { Badge, Button, Checkbox, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core'
import { useState } from 'react'
import type { CollectionName, Facet } from '../../api/types'
import { list as words, statusLabel } from '../../text/en'
import { countText, cutMiddle } from '../format'
import { splitComma, type ListSearch } from '../listSearch'
import type { Shape } from '../shapes'
import { ShapeIcon } from '../StatusMark'

export type FacetField = 'status' | 'host'

interface FilterSheetProps {
  name: CollectionName
  facets: readonly Facet[]
  fields: readonly FacetField[]
  search: ListSearch
  /** Objects that match now. */
  total: number
  shapeOf: (status: string) => Shape
  onToggle: (field: FacetField, value: string) => void
}

export function FilterSheet(props: FilterSheetProps) {
  const { name, facets, fields, search, total } = props
  const [isOpen, setOpen] = useState(false)
  const chosen = fields.reduce((count, field) => count + splitComma(search[field]).length, 0)
  const close = () => setOpen(false)
  return (
    <>
      <Button variant="secondary" aria-haspopup="dialog" aria-expanded={isOpen} onClick={() => setOpen(true)}>
        {words.filters} {chosen > 0 && <Badge isRead>{chosen}</Badge>}
      </Button>
      {isOpen && (
        <Modal isOpen variant="small" className="sheet" onClose={close} aria-labelledby="filters-title">
          <ModalHeader title={words.filters} labelId="filters-title" />
          <ModalBody>
            {fields.map((field) => {
              const facet = facets.find((one) => one.field === field)
              return facet === undefined ? null : <Field key={field} {...props} field={field} facet={facet} />
            })}
          </ModalBody>
          <ModalFooter>
            <Button variant="primary" onClick={close}>
              {words.showMatches(name, total)}
            </Button>
          </ModalFooter>
        </Modal>
      )}
    </>
  )
}

interface FieldProps extends FilterSheetProps {
  field: FacetField
  facet: Facet
}

function Field({ field, facet, search, shapeOf, onToggle }: FieldProps) {
  const chosen = splitComma(search[field])
  return (
    <fieldset className="sheet-field">
      <legend>{words.facets[field] ?? field}</legend>
      {facet.values.map(({ value, label, count }) => (
        <div className="sheet-value" key={value}>
          <Checkbox
            id={`filter-${field}-${value}`}
            isChecked={chosen.includes(value)}
            onChange={() => onToggle(field, value)}
            label={
              <span className="facet-value">
                {field === 'status' && <ShapeIcon shape={shapeOf(value)} />}
                {field === 'status' ? statusLabel(value) : cutMiddle(label, 30)}
              </span>
            }
          />
          <span className="facet-count">{countText(count)}</span>
        </div>
      ))}
    </fieldset>
  )
}
