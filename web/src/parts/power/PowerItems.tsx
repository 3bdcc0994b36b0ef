/** The life-cycle actions of a VM as menu items: refused ones stay, with their reason. */
import { MenuItem } from '@patternfly/react-core'
import { powerActions, type Vm } from '../../api/types'
import { power } from '../../text/en'
import { startPower, whyNot } from './power'

export function PowerItems({ vm }: { vm: Vm }) {
  return powerActions.map((action) => {
    const reason = whyNot(vm, action)
    return (
      <MenuItem
        key={action}
        itemId={action}
        isAriaDisabled={reason !== undefined}
        description={reason}
        isDanger={reason === undefined && (action === 'force_off' || action === 'reset')}
        onClick={() => startPower(vm, action)}
      >
        {power[action].label}
      </MenuItem>
    )
  })
}
