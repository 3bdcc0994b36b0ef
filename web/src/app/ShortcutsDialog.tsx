/** The list of keyboard shortcuts. */
import { Modal, ModalBody, ModalHeader } from '@patternfly/react-core'
import { useSettings } from '../parts/settings'
import { makeStore, useStore } from '../parts/store'
import { shortcuts as words } from '../text/en'
import { places } from './places'

export const shortcutsOpen = makeStore(false)

const rows: readonly { keys: string; does: string }[] = [
  { keys: 'Ctrl K', does: words.palette },
  { keys: '/', does: words.filter },
  { keys: 'j ↓', does: words.next },
  { keys: 'k ↑', does: words.previous },
  { keys: 'x', does: words.select },
  { keys: 'Enter', does: words.open },
  ...places.flatMap((place) =>
    place.key === undefined ? [] : [{ keys: `g ${place.key}`, does: place.keyHelp ?? place.label }],
  ),
  { keys: '?', does: words.help },
  { keys: 'Ctrl Alt Shift', does: words.consoleRelease },
]

export function ShortcutsDialog() {
  const isOpen = useStore(shortcutsOpen)
  const { letters } = useSettings()
  if (!isOpen) return null
  return (
    <Modal isOpen variant="small" onClose={() => shortcutsOpen.set(false)} aria-labelledby="shortcuts-title">
      <ModalHeader title={words.title} labelId="shortcuts-title" />
      <ModalBody>
        {!letters && <p>{words.off}</p>}
        <dl className="shortcuts">
          {rows.map((row) => (
            <div key={row.keys}>
              <dt>
                {row.keys.split(' ').map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{row.does}</dd>
            </div>
          ))}
        </dl>
      </ModalBody>
    </Modal>
  )
}
