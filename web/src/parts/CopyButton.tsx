/** Copies a text; where the browser does not let a page do so (plain http), selects it for the person to copy. */
import { Button } from '@patternfly/react-core'
import { useEffect, useRef, useState } from 'react'
import { common } from '../text/en'

type Outcome = 'copied' | 'by_hand'

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [outcome, setOutcome] = useState<Outcome | undefined>(undefined)
  const field = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    if (outcome === 'by_hand') field.current?.select()
    if (outcome !== 'copied') return undefined
    const timer = setTimeout(() => setOutcome(undefined), 2000)
    return () => clearTimeout(timer)
  }, [outcome])
  const copy = async () => setOutcome((await copyText(text)) ? 'copied' : 'by_hand')
  return (
    <span className="copy">
      <Button variant="link" isInline onClick={() => void copy()}>
        {outcome === 'copied' ? common.copied : label}
      </Button>
      <span className="pf-v6-screen-reader" role="status">
        {outcome === 'copied' ? common.copied : ''}
      </span>
      {outcome === 'by_hand' && (
        <textarea
          ref={field}
          readOnly
          rows={1}
          aria-label={common.copyByHand}
          title={common.copyByHand}
          value={text}
          onBlur={() => setOutcome(undefined)}
        />
      )}
    </span>
  )
}

/** The clipboard API is there on https and localhost only; `execCommand` works elsewhere in most browsers. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

function copyBySelection(text: string): boolean {
  const field = document.createElement('textarea')
  field.value = text
  field.style.position = 'fixed'
  field.style.insetBlockStart = '-100px'
  const focused = document.activeElement
  document.body.append(field)
  field.select()
  const done = document.execCommand('copy')
  field.remove()
  if (focused instanceof HTMLElement) focused.focus()
  return done
}
