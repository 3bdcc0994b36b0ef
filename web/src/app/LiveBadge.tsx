/** Whether what is shown is live. */
import { Button, Tooltip } from '@patternfly/react-core'
import type { LinkState } from '../live/messages'
import { linkStore } from '../live/live'
import { clockText } from '../parts/format'
import { useSeconds } from '../parts/clock'
import { useLink } from '../parts/useLive'
import { live } from '../text/en'

/** A shorter break is not worth a word. */
const quiet = 3_000

export function LiveBadge() {
  const { state } = useLink()
  if (state.kind === 'reconnecting') return <Reconnecting since={state.since} />
  return <Badge kind={state.kind} word={wordOf(state)} />
}

function Reconnecting({ since }: { since: number }) {
  const now = useSeconds()
  const age = now - since
  if (age < quiet) return <Badge kind="live" word={live.live} />
  return (
    <>
      <Badge kind="reconnecting" word={live.reconnecting(Math.floor(age / 1000))} />
      {age > 10_000 && <span className="as-of wide-only">{live.asOf(clockText(since))}</span>}
      <Button variant="link" isInline size="sm" onClick={() => linkStore.tryNow()}>
        {live.tryNow}
      </Button>
    </>
  )
}

function Badge({ kind, word }: { kind: LinkState['kind']; word: string }) {
  return (
    <Tooltip content={live.about[kind]}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- its explanation has to be reachable by keyboard */}
      <span className="live-badge" data-kind={kind} tabIndex={0}>
        <span className="live-dot" aria-hidden="true" />
        <span className="live-word">{word}</span>
      </span>
    </Tooltip>
  )
}

function wordOf(state: LinkState): string {
  switch (state.kind) {
    case 'connecting':
      return live.connecting
    case 'live':
      return live.live
    case 'reconnecting':
      return live.reconnecting(0)
    case 'paused':
      return live.paused
    case 'signed_out':
      return live.signedOut
  }
}
