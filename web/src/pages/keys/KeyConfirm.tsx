/** The dialog before an agent is cut off: names host and consequence; Cancel has the focus. */
import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core'
import type { KeyDecision } from '../../api/queries'
import { cutMiddle } from '../../parts/format'
import { common, keys as words } from '../../text/en'

interface KeyConfirmProps {
  name: string
  decision: KeyDecision
  onConfirm: () => void
  onClose: () => void
}

export function KeyConfirm({ name, decision, onConfirm, onClose }: KeyConfirmProps) {
  return (
    <Modal
      isOpen
      variant="small"
      onClose={onClose}
      aria-labelledby="key-confirm-title"
      aria-describedby="key-confirm-body"
      elementToFocus="#key-confirm-cancel"
    >
      <ModalHeader
        title={words.decide[decision].of(cutMiddle(name, 60))}
        labelId="key-confirm-title"
        titleIconVariant="warning"
      />
      <ModalBody id="key-confirm-body">{words.cut}</ModalBody>
      <ModalFooter>
        <Button variant="danger" onClick={onConfirm}>
          {words.decide[decision].label}
        </Button>
        <Button variant="link" id="key-confirm-cancel" onClick={onClose}>
          {common.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  )
}
