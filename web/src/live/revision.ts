/** Positions in the server's change feed: `<epoch>-<rev>`. The epoch is new at each start or restore of the server. */

export interface Revision {
  epoch: string
  rev: number
}

/** Undefined for anything that is not a position; such an answer counts as older than everything. */
export function parseRevision(text: string): Revision | undefined {
  const cut = text.lastIndexOf('-')
  const rev = Number(text.slice(cut + 1))
  if (cut <= 0 || text.length === cut + 1 || !Number.isSafeInteger(rev) || rev < 0) return undefined
  return { epoch: text.slice(0, cut), rev }
}

/** Whether something true up to `have` needs no event up to `needed` any more. */
export function covers(have: Revision | undefined, needed: Revision | undefined): boolean {
  if (needed === undefined) return true
  return have !== undefined && have.epoch === needed.epoch && have.rev >= needed.rev
}
