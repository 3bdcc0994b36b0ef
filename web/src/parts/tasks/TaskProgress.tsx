/** How far a task is: determinate with rate and time left when its size is known, else the step by name. */
import { Progress, ProgressMeasureLocation } from '@patternfly/react-core'
import { useState } from 'react'
import type { Action } from '../../api/types'
import { tasks as words } from '../../text/en'
import { durationText, percentText, rateText } from '../format'
import { Meter } from '../Meter'
import { useSeconds } from '../clock'
import { secondsLeft, Smoother } from './progress'

/** The time left is a guess before this. */
const tellAfter = 3_000

interface TaskProgressProps {
  action: Action
  /** In one line, for tables. */
  isLine?: boolean
}

export function TaskProgress({ action, isLine = false }: TaskProgressProps) {
  const now = useSeconds()
  const [smoother] = useState(() => new Smoother())
  const progress = action.progress
  if (progress == null) return action.waits_for == null ? null : <span>{action.waits_for}</span>
  if (progress.total == null || progress.total === 0) return <span>{progress.step}</span>
  const rate = smoother.rate(progress.done, now) ?? progress.rate ?? undefined
  const started = Date.parse(action.started_at ?? action.created_at)
  const left = now - started > tellAfter ? secondsLeft(progress, rate) : undefined
  const text = words.percent(
    percentText(progress.done, progress.total),
    progress.rate == null ? undefined : rateText(progress.rate),
    left === undefined ? undefined : words.left(durationText(left)),
  )
  if (isLine) {
    return (
      <span className="used" title={progress.step}>
        <Meter label={`${progress.step}: ${text}`} used={progress.done} all={progress.total} isProgress />
        <span className="live-figure">{text}</span>
      </span>
    )
  }
  return (
    <Progress
      size="sm"
      value={Math.min(100, (progress.done / progress.total) * 100)}
      title={progress.step}
      label={text}
      valueText={text}
      measureLocation={ProgressMeasureLocation.top}
      className="live-figure"
    />
  )
}
