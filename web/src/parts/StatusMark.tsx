/** Shape and word of a state. */
import type { Wanted } from '../live/wanted'
import { power, powerText, statusLabel } from '../text/en'
import { isPowerAction } from '../api/types'
import { useSeconds } from './clock'
import { shapeOfAction, shapeOfStatus, shapeOfWish, type Shape } from './shapes'

export function ShapeIcon({ shape }: { shape: Shape }) {
  const classes = [
    'shape',
    `shape-${shape.tone}`,
    shape.hollow && 'shape-hollow',
    shape.turns && 'shape-turns',
  ]
  return (
    <svg className={classes.filter(Boolean).join(' ')} viewBox="0 0 16 16" aria-hidden="true">
      <path d={shape.path} />
    </svg>
  )
}

export function StatusMark({ status, word }: { status: string; word?: string }) {
  return (
    <span className="status">
      <ShapeIcon shape={shapeOfStatus(status)} />
      {word ?? statusLabel(status)}
    </span>
  )
}

export function ActionMark({ status }: { status: string }) {
  return (
    <span className="status">
      <ShapeIcon shape={shapeOfAction(status)} />
      {statusLabel(status)}
    </span>
  )
}

/** The state of a VM, or the one that has been asked for and is not true yet. */
export function VmStatusMark({
  status,
  wish,
  host,
}: {
  status: string
  wish: Wanted | undefined
  host: string
}) {
  if (wish === undefined) return <StatusMark status={status} />
  return (
    <span className="status">
      <ShapeIcon shape={shapeOfWish(wish.action)} />
      <WishWord wish={wish} host={host} />
    </span>
  )
}

function WishWord({ wish, host }: { wish: Wanted; host: string }) {
  const late = useSeconds() - wish.since > 10_000
  if (late) return powerText.stillWaiting(host)
  return isPowerAction(wish.action) ? power[wish.action].wanted : null
}
