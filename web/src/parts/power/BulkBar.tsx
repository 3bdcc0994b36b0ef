/** Actions on the selected VMs. */
import { Button, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { useState } from 'react'
import { powerActions, type PowerAction, type Vm } from '../../api/types'
import { collections } from '../../live/live'
import { bulk, power } from '../../text/en'
import { BulkDialog } from './BulkDialog'

interface BulkBarProps {
  selected: ReadonlySet<string>
  onClear: () => void
}

interface Asked {
  action: PowerAction
  vms: readonly Vm[]
  outside: number
}

export function BulkBar({ selected, onClear }: BulkBarProps) {
  const [asked, setAsked] = useState<Asked | undefined>(undefined)
  if (selected.size === 0) return null
  const ask = (action: PowerAction) => {
    const vms = [...selected].map((id) => collections.vms.get(id)).filter((vm) => vm !== undefined)
    setAsked({ action, vms, outside: selected.size - vms.length })
  }
  return (
    <section className="bulk-bar" aria-label={bulk.region}>
      <Toolbar inset={{ default: 'insetMd' }} colorVariant="no-background">
        <ToolbarContent>
          <ToolbarItem alignSelf="center">
            <strong aria-live="polite">{bulk.selected(selected.size)}</strong>
          </ToolbarItem>
          {powerActions.map((action) => (
            <ToolbarItem key={action}>
              <Button variant="secondary" size="sm" onClick={() => ask(action)}>
                {power[action].label}
              </Button>
            </ToolbarItem>
          ))}
          <ToolbarItem align={{ default: 'alignEnd' }}>
            <Button variant="link" size="sm" onClick={onClear}>
              {bulk.clear}
            </Button>
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {asked !== undefined && <BulkDialog {...asked} onClose={() => setAsked(undefined)} />}
    </section>
  )
}
