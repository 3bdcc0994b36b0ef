/** Ctrl-K: pages, VMs by name, actions of the page; keyboard only if one likes. */
import { Modal } from '@patternfly/react-core'
import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useDeferredValue, useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { fetchWindow } from '../api/queries'
import { Name } from '../parts/Name'
import { pageActions } from '../parts/pageActions'
import { StatusMark } from '../parts/StatusMark'
import { makeStore, useStore } from '../parts/store'
import { palette as words } from '../text/en'
import { matchEntries, type Entry } from './paletteEntries'
import { places } from './places'

export const paletteOpen = makeStore(false)

export function Palette() {
  const isOpen = useStore(paletteOpen)
  if (!isOpen) return null
  const close = () => paletteOpen.set(false)
  return (
    <Modal
      isOpen
      variant="medium"
      position="top"
      onClose={close}
      aria-label={words.title}
      className="palette"
      elementToFocus="#palette-input"
    >
      <PaletteBody onClose={close} />
    </Modal>
  )
}

const found = 8

function PaletteBody({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const entries = useEntries(text)
  const list = useRef<HTMLUListElement>(null)
  const chosen = Math.min(at, entries.length - 1)
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' })
  }, [chosen])
  const run = (entry: Entry | undefined) => {
    if (entry === undefined || entry.reason !== undefined) return
    onClose()
    entry.run()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(chosen + 1, entries.length - 1))
    else if (event.key === 'ArrowUp') setAt(Math.max(chosen - 1, 0))
    else if (event.key === 'Enter') run(entries[chosen])
    else return
    event.preventDefault()
  }
  return (
    <div className="palette-body">
      <input
        id="palette-input"
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={entries.length > 0 ? `palette-${chosen}` : undefined}
        aria-label={words.title}
        placeholder={words.placeholder}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setAt(0)
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="palette-list" role="listbox" aria-label={words.title} ref={list}>
        {entries.map((entry, index) => (
          // The keyboard works through the field above; a pointer may choose directly.
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
          <li
            key={entry.key}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === chosen}
            aria-disabled={entry.reason !== undefined}
            onClick={() => run(entry)}
            onPointerMove={() => setAt(index)}
          >
            <span className="palette-group">{entry.group}</span>
            <Name>{entry.label}</Name>
            <span className="palette-note">
              {entry.reason ??
                entry.shortcut ??
                (entry.status !== undefined && <StatusMark status={entry.status} />)}
            </span>
          </li>
        ))}
      </ul>
      <p className="palette-foot" role="status">
        {entries.length === 0 ? words.nothing : words.foot}
      </p>
    </div>
  )
}

function useEntries(text: string): Entry[] {
  const router = useRouter()
  const actions = useStore(pageActions)
  const search = useDeferredValue(text.trim())
  const { data } = useQuery({
    queryKey: ['palette', search],
    queryFn: ({ signal }) => fetchWindow.vms({ search, sort: 'name', offset: 0, limit: found }, signal),
    enabled: search !== '',
    placeholderData: (previous) => previous,
    staleTime: 5_000,
  })
  const fixed: Entry[] = [
    ...actions.map((action) => ({ ...action, key: `action ${action.label}`, group: words.actions })),
    ...places.map((place) => ({
      key: place.path,
      group: words.pages,
      label: place.label,
      shortcut: place.key === undefined ? undefined : `g ${place.key}`,
      run: () => router.history.push(place.path),
    })),
  ]
  const vms: Entry[] = (search === '' ? [] : (data?.items ?? [])).map((vm) => ({
    key: vm.id,
    group: words.vms,
    label: vm.name,
    status: vm.status,
    run: () => router.history.push(`/vms/${vm.id}`),
  }))
  return [...matchEntries(fixed, search), ...vms]
}
