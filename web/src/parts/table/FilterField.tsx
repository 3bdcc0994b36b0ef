/** The text filter of a list; `/` focuses it. */
import { SearchInput } from '@patternfly/react-core'
import { useEffect, useRef, useState } from 'react'
import type { CollectionName } from '../../api/types'
import { list as words } from '../../text/en'
import { isLetterShortcut } from '../keys'

interface FilterFieldProps {
  name: CollectionName
  value: string
  onChange: (value: string) => void
}

/** Long enough to join the keys of a fast typist, short enough not to be felt. */
const pause = 80

export function FilterField({ name, value, onChange }: FilterFieldProps) {
  const input = useRef<HTMLInputElement>(null)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const [text, setText] = useState(value)
  const [sent, setSent] = useState(value)
  if (value !== sent) {
    // The URL was changed by something else: Back, "Clear filter".
    setSent(value)
    setText(value)
  }
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== '/' || !isLetterShortcut(event)) return
      event.preventDefault()
      input.current?.focus()
      input.current?.select()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => {
      window.removeEventListener('keydown', onKeyDown)
      clearTimeout(timer.current)
    }
  }, [])
  const change = (next: string, wait: number) => {
    setText(next)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      setSent(next)
      onChange(next)
    }, wait)
  }
  return (
    <SearchInput
      ref={input}
      aria-label={words.filter(name)}
      placeholder={words.filterPlaceholder}
      value={text}
      onChange={(_event, next) => change(next, pause)}
      onClear={() => change('', 0)}
    />
  )
}
