/** A menu that opens at any element: one serves all rows of a table. */
import { Menu, MenuContent, MenuList } from '@patternfly/react-core'
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react'
import { createPortal } from 'react-dom'

interface AnchoredMenuProps {
  anchor: HTMLElement
  label: string
  onClose: () => void
  children: ReactNode
}

const margin = 8

export function AnchoredMenu({ anchor, label, onClose, children }: AnchoredMenuProps) {
  const box = useRef<HTMLDivElement>(null)
  const [place, setPlace] = useState({ left: 0, top: 0 })

  useLayoutEffect(() => {
    const menu = box.current?.getBoundingClientRect()
    if (menu === undefined) return
    const at = anchor.getBoundingClientRect()
    const below = at.bottom + menu.height + margin <= window.innerHeight
    const top = below ? at.bottom : Math.max(margin, at.top - menu.height)
    const left = Math.max(margin, Math.min(at.right - menu.width, window.innerWidth - menu.width - margin))
    setPlace({ left, top })
    box.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus()
  }, [anchor])

  useEffect(() => {
    const onPointerDown = (event: PointerEvent) => {
      const inside =
        event.target instanceof Node && (box.current?.contains(event.target) || anchor.contains(event.target))
      if (!inside) onClose()
    }
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' && event.key !== 'Tab') return
      event.preventDefault()
      onClose()
      anchor.focus()
    }
    document.addEventListener('pointerdown', onPointerDown, true)
    document.addEventListener('keydown', onKeyDown, true)
    return () => {
      document.removeEventListener('pointerdown', onPointerDown, true)
      document.removeEventListener('keydown', onKeyDown, true)
    }
  }, [anchor, onClose])

  return createPortal(
    <div ref={box} className="anchored-menu" style={place}>
      <Menu onSelect={onClose} isScrollable>
        <MenuContent>
          <MenuList aria-label={label}>{children}</MenuList>
        </MenuContent>
      </Menu>
    </div>,
    // Inside the main landmark: what stands outside of all is hard to find with a screen reader.
    document.getElementById('main') ?? document.body,
  )
}
