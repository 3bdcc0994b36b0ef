/** The lines of a difference, with some that did not change around those that did. */
import { diffLines } from 'diff'

export interface Line {
  kind: 'same' | 'added' | 'removed' | 'skipped'
  text: string
}

/** Unchanged lines shown before and after a change. */
const around = 2

/** Lines that are compared at most; longer definitions are shown without a comparison. */
const most = 20_000

export function differingLines(before: string, after: string): Line[] {
  const lines: Line[] = diffLines(before, after, { maxEditLength: most })?.flatMap((part) => {
    const kind = part.added ? 'added' : part.removed ? 'removed' : 'same'
    return linesOf(part.value).map((text) => ({ kind, text }) as const)
  }) ?? [
    ...linesOf(before).map((text) => ({ kind: 'removed', text }) as const),
    ...linesOf(after).map((text) => ({ kind: 'added', text }) as const),
  ]
  return shortened(lines)
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Long stretches without a change become one line that says how many they were. */
function shortened(lines: readonly Line[]): Line[] {
  const near = lines.map((_, index) =>
    lines.slice(Math.max(0, index - around), index + around + 1).some((line) => line.kind !== 'same'),
  )
  const out: Line[] = []
  let skipped = 0
  lines.forEach((line, index) => {
    if (near[index] === true) {
      if (skipped > 0) out.push({ kind: 'skipped', text: String(skipped) })
      skipped = 0
      out.push(line)
    } else {
      skipped += 1
    }
  })
  if (skipped > 0 && out.length > 0) out.push({ kind: 'skipped', text: String(skipped) })
  return out
}
