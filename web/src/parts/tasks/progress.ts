/** Rate and remaining time of a task, smoothed over about ten seconds. */
import type { Progress } from '../../api/types'

interface Sample {
  at: number
  done: number
}

const span = 10_000

export class Smoother {
  private samples: Sample[] = []

  /** Takes the latest report; returns units per second over the last ten seconds, undefined while too few are known. */
  rate(done: number, now: number): number | undefined {
    const last = this.samples.at(-1)
    if (last !== undefined && done < last.done) this.samples = []
    if (last === undefined || done !== last.done) this.samples.push({ at: now, done })
    while (this.samples.length > 2 && (this.samples[0]?.at ?? now) < now - span) this.samples.shift()
    const first = this.samples[0]
    const seconds = first === undefined ? 0 : (now - first.at) / 1000
    if (first === undefined || seconds < 1 || done <= first.done) return undefined
    return (done - first.done) / seconds
  }
}

/** Seconds left at `rate`; undefined when that cannot be told. */
export function secondsLeft(progress: Progress, rate: number | undefined): number | undefined {
  if (progress.total == null || rate === undefined || rate <= 0) return undefined
  return (progress.total - progress.done) / rate
}
