/** Actions in the head of a VM's page: the one that makes sense now, the others in a menu. */
import { Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core'
import { useState } from 'react'
import { powerActions, type PowerAction, type Vm } from '../../api/types'
import { ActionButton } from '../../parts/power/ActionButton'
import { startPower, whyNot } from '../../parts/power/power'
import { power, powerText } from '../../text/en'

/** The action a person most likely wants in this state. */
function primaryAction(vm: Vm): PowerAction {
  const candidates: PowerAction[] = ['start', 'resume', 'shutdown', 'force_off']
  return (
    candidates.find((action) => whyNot(vm, action) === undefined) ??
    (vm.status === 'shutoff' ? 'start' : 'shutdown')
  )
}

export function VmActions({ vm }: { vm: Vm }) {
  const [isOpen, setOpen] = useState(false)
  const primary = primaryAction(vm)
  return (
    <>
      <ActionButton
        variant={primary === 'force_off' ? 'danger' : 'primary'}
        reason={whyNot(vm, primary)}
        onClick={() => startPower(vm, primary)}
      >
        {power[primary].label}
      </ActionButton>
      <Dropdown
        isOpen={isOpen}
        onOpenChange={setOpen}
        onSelect={() => setOpen(false)}
        popperProps={{ position: 'right', appendTo: 'inline' }}
        toggle={(ref) => (
          <MenuToggle ref={ref} isExpanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {powerText.menu}
          </MenuToggle>
        )}
      >
        <DropdownList>
          {powerActions.map((action) => {
            const reason = whyNot(vm, action)
            return (
              <DropdownItem
                key={action}
                isAriaDisabled={reason !== undefined}
                description={reason}
                isDanger={reason === undefined && (action === 'force_off' || action === 'reset')}
                onClick={() => startPower(vm, action)}
              >
                {power[action].label}
              </DropdownItem>
            )
          })}
        </DropdownList>
      </Dropdown>
    </>
  )
}
