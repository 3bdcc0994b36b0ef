/** What can be done with a console. */
import { Button, Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core'
import { useEffect, useState, type RefObject } from 'react'
import { consoleText as words } from '../../../text/en'
import type { ConsoleSession } from './session'
import { chords } from './specialKeys'

interface ConsoleToolbarProps {
  frame: RefObject<HTMLElement | null>
  session: RefObject<ConsoleSession | undefined>
  name: string
  isConnected: boolean
  scale: boolean
  onScale: (scale: boolean) => void
  viewOnly: boolean
  onViewOnly: (viewOnly: boolean) => void
  onPaste: () => void
  onReconnect: () => void
}

export function ConsoleToolbar(props: ConsoleToolbarProps) {
  const { session, isConnected, scale, viewOnly } = props
  const isFull = useFullScreen()
  const typing = isConnected && !viewOnly
  const save = async () => {
    const picture = await session.current?.screenshot()
    if (picture !== undefined) download(picture, words.screenshotFile(props.name))
  }
  return (
    <div className="console-toolbar" role="toolbar" aria-label={words.toolbar}>
      <Button size="sm" variant="secondary" onClick={() => props.onScale(!scale)}>
        {scale ? words.actualSize : words.scale}
      </Button>
      <Button size="sm" variant="secondary" onClick={() => void toggleFullScreen(props.frame.current)}>
        {isFull ? words.leaveFullScreen : words.fullScreen}
      </Button>
      <Button
        size="sm"
        variant="secondary"
        isAriaDisabled={!typing}
        onClick={() => {
          session.current?.sendCtrlAltDel()
          session.current?.focus()
        }}
      >
        {words.ctrlAltDel}
      </Button>
      <KeysMenu session={session} isDisabled={!typing} frame={props.frame} />
      <Button size="sm" variant="secondary" isAriaDisabled={!typing} onClick={props.onPaste}>
        {words.paste}
      </Button>
      <Button
        size="sm"
        variant={viewOnly ? 'primary' : 'secondary'}
        aria-pressed={viewOnly}
        onClick={() => props.onViewOnly(!viewOnly)}
      >
        {words.viewOnly}
      </Button>
      <Button size="sm" variant="secondary" isAriaDisabled={!isConnected} onClick={() => void save()}>
        {words.screenshot}
      </Button>
      <Button size="sm" variant="secondary" onClick={props.onReconnect}>
        {words.reconnect}
      </Button>
    </div>
  )
}

interface KeysMenuProps {
  session: RefObject<ConsoleSession | undefined>
  frame: RefObject<HTMLElement | null>
  isDisabled: boolean
}

function KeysMenu({ session, frame, isDisabled }: KeysMenuProps) {
  const [isOpen, setOpen] = useState(false)
  const [held, setHeld] = useState({ ctrl: false, alt: false })
  const hold = (key: 'ctrl' | 'alt') => {
    session.current?.setHeld(key, !held[key])
    setHeld({ ...held, [key]: !held[key] })
  }
  return (
    <Dropdown
      isOpen={isOpen}
      isScrollable
      onOpenChange={setOpen}
      popperProps={{ appendTo: () => frame.current ?? document.body }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          size="sm"
          isExpanded={isOpen}
          isDisabled={isDisabled}
          aria-label={words.keysMenu}
          onClick={() => setOpen(!isOpen)}
        >
          {words.keys}
        </MenuToggle>
      )}
    >
      <DropdownList>
        <DropdownItem isSelected={held.ctrl} onClick={() => hold('ctrl')}>
          {words.holdCtrl}
        </DropdownItem>
        <DropdownItem isSelected={held.alt} onClick={() => hold('alt')}>
          {words.holdAlt}
        </DropdownItem>
        {chords.map((chord) => (
          <DropdownItem
            key={chord.label}
            onClick={() => {
              session.current?.sendChord(chord)
              setOpen(false)
              session.current?.focus()
            }}
          >
            {chord.label}
          </DropdownItem>
        ))}
      </DropdownList>
    </Dropdown>
  )
}

function useFullScreen(): boolean {
  const [isFull, setFull] = useState(document.fullscreenElement !== null)
  useEffect(() => {
    const onChange = () => setFull(document.fullscreenElement !== null)
    document.addEventListener('fullscreenchange', onChange)
    return () => document.removeEventListener('fullscreenchange', onChange)
  }, [])
  return isFull
}

async function toggleFullScreen(frame: HTMLElement | null): Promise<void> {
  if (document.fullscreenElement !== null) await document.exitFullscreen()
  else await frame?.requestFullscreen()
}

function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
