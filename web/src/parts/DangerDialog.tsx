/** The dialog before something that cannot be taken back: names object and consequence; Cancel has the focus. */
import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core'
import { common } from '../text/en'

interface DangerDialogProps {
  title: string
  body: string
  /** The word on the button that does it. */
  deed: string
  onConfirm: () => void
  onClose: () => void
}

export function DangerDialog({ title, body, deed, onConfirm, onClose }: DangerDialogProps) {
  return (
    <Modal
      isOpen
      variant="small"
      onClose={onClose}
      aria-labelledby="danger-title"
      aria-describedby="danger-body"
      elementToFocus="#danger-cancel"
    >
      <ModalHeader title={title} labelId="danger-title" titleIconVariant="warning" />
      <ModalBody id="danger-body">{body}</ModalBody>
      <ModalFooter>
        <Button variant="danger" onClick={onConfirm}>
          {deed}
        </Button>
        <Button variant="link" id="danger-cancel" onClick={onClose}>
          {common.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  )
}
