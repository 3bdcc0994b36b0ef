const grouping = new Intl.NumberFormat()

/** `12,345`, grouped as the reader's language does. */
export function countText(count: number): string {
  return grouping.format(count)
}
