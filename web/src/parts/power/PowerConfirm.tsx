/**
 * The dialog before an action that interrupts: names object and consequence; Cancel has the focus. Also the one after
 * a refusal because the VM has changed meanwhile: what the person saw, what it is now, and the choice.
 */
import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core'
import type { Vm } from '../../api/types'
import { common, power, powerText } from '../../text/en'
import { cutMiddle } from '../format'
import { StatusMark } from '../StatusMark'
import { useStore } from '../store'
import { useSeen } from '../useLive'
import { askPower, confirmation, needsConfirmation, whyNot, type Confirmation } from './power'

export function PowerConfirm() {
  const asked = useStore(confirmation)
  return asked === undefined ? null : <Dialog key={asked.vm.id + asked.action} {...asked} />
}

function Dialog({ vm, action, saw }: Confirmation) {
  const seen = useSeen('vms', vm.id)?.row
  const now = seen !== undefined && seen.gen > vm.gen ? seen : vm
  const reason = whyNot(now, action)
  const words = power[action]
  const name = cutMiddle(vm.name, 60)
  const close = () => confirmation.set(undefined)
  const confirm = () => {
    close()
    void askPower(now, action)
  }
  return (
    <Modal
      isOpen
      variant="small"
      onClose={close}
      aria-labelledby="power-confirm-title"
      aria-describedby="power-confirm-body"
      elementToFocus="#power-confirm-cancel"
    >
      <ModalHeader
        title={saw === undefined ? words.title(name) : powerText.changedTitle(name)}
        labelId="power-confirm-title"
        titleIconVariant="warning"
      />
      <ModalBody id="power-confirm-body">
        <div className="stack">
          {(saw !== undefined || now.status !== vm.status) && <Change saw={saw ?? vm} now={now} />}
          <p>{reason ?? words.consequence}</p>
        </div>
      </ModalBody>
      <ModalFooter>
        {reason === undefined && (
          <Button variant={needsConfirmation(action) ? 'danger' : 'primary'} onClick={confirm}>
            {saw === undefined ? words.label : powerText.anyway(action)}
          </Button>
        )}
        <Button variant="link" id="power-confirm-cancel" onClick={close}>
          {reason === undefined ? common.cancel : common.close}
        </Button>
      </ModalFooter>
    </Modal>
  )
}

function Change({ saw, now }: { saw: Vm; now: Vm }) {
  return (
    <dl className="change">
      <dt>{powerText.youSaw}</dt>
      <dd>
        <StatusMark status={saw.status} />
      </dd>
      <dt>{powerText.itIs}</dt>
      <dd>
        <StatusMark status={now.status} />
      </dd>
    </dl>
  )
}
