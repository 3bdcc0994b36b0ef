/** The graphical console with its toolbar. */
import { Alert, Button } from '@patternfly/react-core'
import { Suspense, useCallback, useEffect, useRef, useState } from 'react'
import { lazyPart } from '../../../parts/lazyPart'
import { ProblemAlert } from '../../../parts/ProblemAlert'
import { consoleText as words } from '../../../text/en'
import { ConsoleToolbar } from './ConsoleToolbar'
import { ConsoleSession, type ConsoleState } from './session'

// Both are seldom needed, and forms are heavy.
const PasteDialog = lazyPart(() => import('./PasteDialog').then((module) => module.PasteDialog))
const PasswordForm = lazyPart(() => import('./PasswordForm').then((module) => module.PasswordForm))

export function Screen({ vmId, name }: { vmId: string; name: string }) {
  const frame = useRef<HTMLDivElement>(null)
  const screen = useRef<HTMLDivElement>(null)
  const toolbar = useRef<HTMLDivElement>(null)
  const session = useRef<ConsoleSession>(undefined)
  const [state, setState] = useState<ConsoleState>({ kind: 'connecting' })
  const [attempt, setAttempt] = useState(0)
  const [scale, setScale] = useState(true)
  const [viewOnly, setViewOnly] = useState(false)
  const [isCaptured, setCaptured] = useState(false)
  const [isPasting, setPasting] = useState(false)
  const options = useRef({ scale, viewOnly })

  useEffect(() => {
    options.current = { scale, viewOnly }
    session.current?.setScale(scale)
    session.current?.setViewOnly(viewOnly)
  }, [scale, viewOnly])

  useEffect(() => {
    if (screen.current === null) return undefined
    const opened = new ConsoleSession(vmId, screen.current, setState)
    session.current = opened
    void opened.open(options.current)
    return () => opened.close()
  }, [vmId, attempt])

  const release = useCallback(() => {
    session.current?.blur()
    toolbar.current?.querySelector<HTMLElement>('button')?.focus()
  }, [])
  useRelease(screen, release)

  const isConnected = state.kind === 'connected'
  return (
    <div className="console" ref={frame} data-console="">
      <div ref={toolbar}>
        <ConsoleToolbar
          frame={frame}
          session={session}
          name={name}
          isConnected={isConnected}
          scale={scale}
          onScale={setScale}
          viewOnly={viewOnly}
          onViewOnly={setViewOnly}
          onPaste={() => setPasting(true)}
          onReconnect={() => setAttempt((count) => count + 1)}
        />
      </div>
      <ConsoleNotice state={state} session={session} onReconnect={() => setAttempt((count) => count + 1)} />
      <div
        ref={screen}
        className="console-screen"
        hidden={state.kind === 'failed'}
        data-scale={scale ? 'fit' : 'actual'}
        role="application"
        aria-label={words.screen(name)}
        onFocus={() => setCaptured(true)}
        onBlur={() => {
          setCaptured(false)
          session.current?.letGo()
        }}
      />
      <p className="console-foot" role="status">
        {isConnected && (isCaptured && !viewOnly ? words.captured : words.free)}
        {state.kind === 'connecting' && words.connecting}
      </p>
      {isPasting && (
        <Suspense>
          <PasteDialog
            onClose={() => setPasting(false)}
            onType={(presses) => {
              setPasting(false)
              void session.current?.type(presses).then(() => session.current?.focus())
            }}
          />
        </Suspense>
      )}
    </div>
  )
}

/** Ctrl-Alt-Shift gives the keyboard back: a console takes every other key, Tab included. */
function useRelease(screen: React.RefObject<HTMLElement | null>, release: () => void): void {
  useEffect(() => {
    const element = screen.current
    if (element === null) return undefined
    const onKeyDown = (event: KeyboardEvent) => {
      if (!event.ctrlKey || !event.altKey || !event.shiftKey) return
      event.stopPropagation()
      event.preventDefault()
      release()
    }
    element.addEventListener('keydown', onKeyDown, true)
    return () => element.removeEventListener('keydown', onKeyDown, true)
  }, [screen, release])
}

interface NoticeProps {
  state: ConsoleState
  session: React.RefObject<ConsoleSession | undefined>
  onReconnect: () => void
}

function ConsoleNotice({ state, session, onReconnect }: NoticeProps) {
  const again = (
    <Button variant="link" isInline onClick={onReconnect}>
      {words.reconnect}
    </Button>
  )
  switch (state.kind) {
    case 'connecting':
    case 'connected':
      return null
    case 'needs_password':
      return (
        <Suspense>
          <PasswordForm onSubmit={(password) => session.current?.sendPassword(password)} />
        </Suspense>
      )
    case 'lost':
      return (
        <Alert component="p" isInline variant="warning" role="alert" title={words.lost} actionLinks={again} />
      )
    case 'refused':
      return (
        <Alert
          component="p"
          isInline
          variant="danger"
          role="alert"
          title={words.securityFailed(state.reason)}
          actionLinks={again}
        />
      )
    case 'failed':
      return <ProblemAlert error={state.error} title={words.failed} onRetry={onReconnect} />
  }
}
