/** Which columns show. */
import { MenuToggle, Select, SelectList, SelectOption } from '@patternfly/react-core'
import { useState } from 'react'
import { list as words } from '../../text/en'

interface ColumnChooserProps {
  columns: readonly { key: string; label: string }[]
  shown: readonly string[]
  onChange: (keys: string[]) => void
}

export function ColumnChooser({ columns, shown, onChange }: ColumnChooserProps) {
  const [isOpen, setOpen] = useState(false)
  const toggle = (key: string) =>
    onChange(
      columns
        .map((column) => column.key)
        .filter((one) => (one === key ? !shown.includes(key) : shown.includes(one))),
    )
  return (
    <Select
      role="menu"
      isOpen={isOpen}
      popperProps={{ appendTo: 'inline' }}
      onOpenChange={setOpen}
      onSelect={(_event, key) => {
        if (typeof key === 'string') toggle(key)
      }}
      toggle={(ref) => (
        <MenuToggle ref={ref} isExpanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {words.columns}
        </MenuToggle>
      )}
    >
      <SelectList aria-label={words.columns}>
        {columns.slice(1).map((column) => (
          <SelectOption
            key={column.key}
            value={column.key}
            hasCheckbox
            isSelected={shown.includes(column.key)}
          >
            {column.label}
          </SelectOption>
        ))}
      </SelectList>
    </Select>
  )
}
