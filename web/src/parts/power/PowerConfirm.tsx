/** The dialog before an action that interrupts: names object and consequence; Cancel has the focus. */
import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core'
import { common, power } from '../../text/en'
import { cutMiddle } from '../format'
import { useStore } from '../store'
import { askPower, confirmation } from './power'

export function PowerConfirm() {
  const asked = useStore(confirmation)
  if (asked === undefined) return null
  const { vm, action } = asked
  const words = power[action]
  const close = () => confirmation.set(undefined)
  const confirm = () => {
    close()
    void askPower(vm, action)
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
        title={words.title(cutMiddle(vm.name, 60))}
        labelId="power-confirm-title"
        titleIconVariant="warning"
      />
      <ModalBody id="power-confirm-body">{words.consequence}</ModalBody>
      <ModalFooter>
        <Button variant="danger" onClick={confirm}>
          {words.label}
        </Button>
        <Button variant="link" id="power-confirm-cancel" onClick={close}>
          {common.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  )
}
