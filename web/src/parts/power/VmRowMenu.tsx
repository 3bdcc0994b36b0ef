/** The one menu of a table of VMs. */
import { Divider, MenuItem } from '@patternfly/react-core'
import { useNavigate } from '@tanstack/react-router'
import { collections } from '../../live/live'
import { powerText } from '../../text/en'
import { AnchoredMenu } from '../AnchoredMenu'
import { useSeen } from '../useLive'
import { PowerItems } from './PowerItems'

interface VmRowMenuProps {
  id: string
  anchor: HTMLElement
  onClose: () => void
}

export function VmRowMenu({ id, anchor, onClose }: VmRowMenuProps) {
  const navigate = useNavigate()
  const vm = useSeen('vms', id)?.row ?? collections.vms.get(id)
  if (vm === undefined) return null
  return (
    <AnchoredMenu anchor={anchor} label={powerText.menuOf(vm.name)} onClose={onClose}>
      <MenuItem
        itemId="console"
        onClick={() => void navigate({ to: '/vms/$id/console', params: { id: vm.id } })}
      >
        {powerText.openConsole}
      </MenuItem>
      <Divider component="li" />
      <PowerItems vm={vm} />
    </AnchoredMenu>
  )
}
