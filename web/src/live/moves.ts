/** How many rows a person would see move from one order to another. */

/** Rows that are in only one of the two, and the fewest of the others that one would have to move by hand. */
export function countMoves(now: readonly string[], next: readonly string[]): number {
  const places = new Map(now.map((id, index) => [id, index]))
  const kept = next.map((id) => places.get(id)).filter((place) => place !== undefined)
  const gone = now.length - kept.length
  const came = next.length - kept.length
  // A row pushed over the end of the window by one that came has not moved.
  const pushed = Math.min(gone, came)
  return gone + came - pushed + (kept.length - longestRise(kept))
}

/** Length of the longest rising subsequence. */
function longestRise(places: readonly number[]): number {
  const ends: number[] = []
  for (const place of places) {
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((ends[middle] ?? 0) < place) low = middle + 1
      else high = middle
    }
    ends[low] = place
  }
  return ends.length
}
