/** Actions on the selected VMs. */
import { Button } from '@patternfly/react-core'
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
      <strong aria-live="polite">{bulk.selected(selected.size)}</strong>
      {powerActions.map((action) => (
        <Button key={action} variant="secondary" size="sm" onClick={() => ask(action)}>
          {power[action].label}
        </Button>
      ))}
      <Button variant="link" size="sm" className="bulk-clear" onClick={onClear}>
        {bulk.clear}
      </Button>
      {asked !== undefined && <BulkDialog {...asked} onClose={() => setAsked(undefined)} />}
    </section>
  )
}
