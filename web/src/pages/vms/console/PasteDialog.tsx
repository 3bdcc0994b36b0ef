/** A text to be typed into the guest, key by key. */
import {
  Button,
  Form,
  FormGroup,
  FormSelect,
  FormSelectOption,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextArea,
} from '@patternfly/react-core'
import { useState } from 'react'
import { common, consoleText as words } from '../../../text/en'
import { keysFor, type KeyPress, type LayoutName } from './layouts'

interface PasteDialogProps {
  onClose: () => void
  onType: (presses: readonly KeyPress[]) => void
}

const layoutNames = ['us', 'uk', 'de'] as const satisfies readonly LayoutName[]

export function PasteDialog({ onClose, onType }: PasteDialogProps) {
  const [text, setText] = useState('')
  const [layout, setLayout] = useState<LayoutName>('us')
  const { presses, missing } = keysFor(text, layout)
  return (
    <Modal
      isOpen
      variant="small"
      onClose={onClose}
      aria-labelledby="paste-title"
      elementToFocus="#paste-text"
    >
      <ModalHeader title={words.pasteTitle} labelId="paste-title" />
      <ModalBody>
        <Form
          id="paste-form"
          onSubmit={(event) => {
            event.preventDefault()
            onType(presses)
          }}
        >
          <FormGroup label={words.pasteText} fieldId="paste-text">
            <TextArea id="paste-text" rows={5} value={text} onChange={(_event, next) => setText(next)} />
          </FormGroup>
          <FormGroup label={words.pasteLayout} fieldId="paste-layout">
            <FormSelect
              id="paste-layout"
              value={layout}
              onChange={(_event, next) => setLayout(layoutNames.find((name) => name === next) ?? 'us')}
            >
              {layoutNames.map((name) => (
                <FormSelectOption key={name} value={name} label={words.layouts[name]} />
              ))}
            </FormSelect>
          </FormGroup>
          <p className="quiet">{words.pasteHint}</p>
          <p role="status">{missing.length > 0 && words.pasteCannot(missing.join(' '))}</p>
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="paste-form" variant="primary">
          {words.pasteSubmit}
        </Button>
        <Button variant="link" onClick={onClose}>
          {common.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  )
}
