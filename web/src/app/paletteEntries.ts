/** Lines of the palette, and which of them a text means. */

export interface Entry {
  key: string
  group: string
  label: string
  run: () => void
  /** Why it cannot be done now. */
  reason?: string
  shortcut?: string
  status?: string
}

/** Entries that have the letters of `text` in their order; the closest together first. */
export function matchEntries(entries: readonly Entry[], text: string): Entry[] {
  if (text === '') return [...entries]
  return entries
    .map((entry) => ({ entry, spread: spreadOf(entry.label.toLowerCase(), text.toLowerCase()) }))
    .filter((match): match is { entry: Entry; spread: number } => match.spread !== undefined)
    .sort((one, other) => one.spread - other.spread)
    .map((match) => match.entry)
}

/** Letters between the first and the last found, and before the first; undefined when they are not all there. */
function spreadOf(label: string, text: string): number | undefined {
  const whole = label.indexOf(text)
  if (whole >= 0) return whole / 100
  let from = 0
  let first: number | undefined
  for (const letter of text) {
    const at = label.indexOf(letter, from)
    if (at < 0) return undefined
    first ??= at
    from = at + 1
  }
  return from - (first ?? 0) + (first ?? 0) / 100
}
