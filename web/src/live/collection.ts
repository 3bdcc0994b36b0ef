/**
 * Rows of one kind by id, kept true by the event stream.
 *
 * A row is held while someone needs it: a list that shows it, or a page about it. A row changes only if its `gen` is
 * higher than the one held, whatever order events and answers come in. Changes of status reach subscribers at once,
 * all others with the next frame.
 */
import type { ChangedObject } from '../api/types'
import { parseRevision, type Revision } from './revision'

export interface LiveRow {
  id: string
  gen: number
  status?: string
}

/** A row as it was last seen. Immutable. */
export interface Seen<Row> {
  row: Row
  /** The object does not exist any more. */
  gone: boolean
}

interface Entry<Row> {
  /** Undefined until it is loaded. */
  seen: Seen<Row> | undefined
  gen: number
  /** Epoch under which `gen` counts, and the position at which this was true. */
  at: Revision | undefined
  /** Lists and pages that need the row. */
  holders: number
}

interface Arrived<Row> {
  gen: number
  row: Row | undefined
  at: Revision | undefined
}

/** What one event meant, for the lists. */
export interface RowChange<Row> {
  id: string
  /** The row before; undefined when it was not held. */
  before: Row | undefined
  /** The row now; undefined when it is gone. */
  after: Row | undefined
}

export interface CollectionListener<Row> {
  onChanges: (changes: RowChange<Row>[]) => void
  /** Whatever is older than `position` must be loaded again; undefined: everything. */
  onGap: (position: Revision | undefined) => void
}

type Schedule = (run: () => void) => void

/** The next frame; a hidden page has none, so a timer there. */
const nextFrame: Schedule = (run) => {
  if (typeof requestAnimationFrame === 'undefined' || document.hidden) setTimeout(run, 50)
  else requestAnimationFrame(run)
}

export class Collection<Row extends LiveRow> {
  private readonly entries = new Map<string, Entry<Row>>()
  private readonly rowListeners = new Map<string, Set<() => void>>()
  private readonly listeners = new Set<CollectionListener<Row>>()
  private readonly waiting = new Set<string>()
  private frameAsked = false
  /** Events that came while windows were being loaded, by id: an answer may be older than they are. */
  private loading = 0
  private readonly arrived = new Map<string, Arrived<Row>>()
  /** Where the stream is. */
  position: Revision | undefined

  constructor(private readonly schedule: Schedule = nextFrame) {}

  /** The row by id; of an object that is gone, its last. */
  see(id: string): Seen<Row> | undefined {
    return this.entries.get(id)?.seen
  }

  /** The row of an object that exists. */
  get(id: string): Row | undefined {
    const seen = this.see(id)
    return seen?.gone === false ? seen.row : undefined
  }

  /** Calls `listener` whenever the row changes; the row is held until the returned function is called. */
  subscribe(id: string, listener: () => void): () => void {
    const set = this.rowListeners.get(id) ?? new Set()
    this.rowListeners.set(id, set)
    set.add(listener)
    this.hold(id)
    return () => {
      set.delete(listener)
      if (set.size === 0) this.rowListeners.delete(id)
      this.release(id)
    }
  }

  listen(listener: CollectionListener<Row>): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  hold(id: string): void {
    const entry = this.entries.get(id)
    if (entry !== undefined) entry.holders += 1
    else this.entries.set(id, { seen: undefined, gen: -1, at: undefined, holders: 1 })
  }

  release(id: string): void {
    const entry = this.entries.get(id)
    if (entry === undefined) return
    entry.holders -= 1
    if (entry.holders <= 0) this.entries.delete(id)
  }

  /** To be called before rows are asked for, its result once when the answer is in `put`, or has failed. */
  beginLoad(): () => void {
    this.loading += 1
    let ended = false
    return () => {
      if (ended) return
      ended = true
      this.loading -= 1
      if (this.loading === 0) this.arrived.clear()
    }
  }

  /** Takes loaded rows, true up to `revision`. They must be held. */
  put(rows: readonly Row[], revision: Revision | undefined): void {
    for (const row of rows) {
      const missed = this.arrived.get(row.id)
      this.apply(row.id, { gen: row.gen, row, at: revision })
      if (missed !== undefined && missed.at?.epoch === revision?.epoch) this.apply(row.id, missed)
    }
  }

  /** Takes the objects of one event of the stream. */
  take(
    objects: readonly ChangedObject[],
    position: string,
    read: (object: ChangedObject) => Row | undefined,
  ): void {
    this.position = parseRevision(position) ?? this.position
    const changes: RowChange<Row>[] = []
    for (const object of objects) {
      const { id } = object
      const now: Arrived<Row> = { gen: object.gen, row: read(object), at: this.position }
      if (this.loading > 0 && now.gen >= (this.arrived.get(id)?.gen ?? -1)) this.arrived.set(id, now)
      const before = this.get(id)
      if (!this.entries.has(id) || this.apply(id, now)) changes.push({ id, before, after: now.row })
    }
    if (changes.length > 0) for (const listener of this.listeners) listener.onChanges(changes)
  }

  /** The stream (re)starts at `position`. What was loaded before it may have missed events. */
  gap(position: string, everything: boolean): void {
    this.position = parseRevision(position) ?? this.position
    for (const listener of this.listeners) listener.onGap(everything ? undefined : this.position)
  }

  /** Applies if newer; says whether it was. */
  private apply(id: string, news: Arrived<Row>): boolean {
    const entry = this.entries.get(id)
    if (entry === undefined || !isNewer(entry, news)) return false
    const last = entry.seen?.row
    const row = news.row ?? last
    const atOnce = last?.status !== row?.status || news.row === undefined
    entry.seen = row === undefined ? undefined : { row, gone: news.row === undefined }
    entry.gen = news.gen
    entry.at = news.at
    this.notify(id, atOnce)
    return true
  }

  private notify(id: string, atOnce: boolean): void {
    if (!this.rowListeners.has(id)) return
    if (atOnce) {
      this.waiting.delete(id)
      this.tell(id)
      return
    }
    this.waiting.add(id)
    if (this.frameAsked) return
    this.frameAsked = true
    this.schedule(() => {
      this.frameAsked = false
      const ids = [...this.waiting]
      this.waiting.clear()
      for (const waiting of ids) this.tell(waiting)
    })
  }

  private tell(id: string): void {
    for (const listener of this.rowListeners.get(id) ?? []) listener()
  }
}

function isNewer<Row>(have: Entry<Row>, news: Arrived<Row>): boolean {
  const sameCount = have.at === undefined || news.at === undefined || have.at.epoch === news.at.epoch
  if (!sameCount || news.gen > have.gen) return true
  // An object made again under an old id counts from the start.
  const back = have.seen?.gone === true && news.row !== undefined
  return back && have.at !== undefined && news.at !== undefined && news.at.rev > have.at.rev
}
