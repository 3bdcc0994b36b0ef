/**
 * One list: the windows of it that are near the screen, in the server's order.
 *
 * The server filters and sorts. A change of a row in a window shows in place; what may have moved rows makes the
 * windows load again, at once when rows came or went, at most every five seconds otherwise. Loaded windows are swapped
 * in whole, so rows never vanish in between; while the person is at a row (pointer, focus, menu, selection) and the
 * new order would move it, they wait, and the list says how many rows have moved.
 */
import { type Facet, type ListQuery, type Window, windowRows } from '../api/types'
import type { Collection, LiveRow, RowChange } from './collection'
import { countMoves } from './moves'
import { covers, parseRevision, type Revision } from './revision'

export interface ListSource<Row extends LiveRow> {
  collection: Collection<Row>
  fetch: (query: ListQuery & { offset: number; limit: number }, signal?: AbortSignal) => Promise<Window<Row>>
  /** What of a row decides its place under this query. Equal texts: it has not moved. */
  place: (row: Row, query: ListQuery) => string
  /** Whether the row can be in the list, as far as that can be told here. */
  matches: (row: Row, query: ListQuery) => boolean
}

interface Page {
  ids: readonly string[]
  revision: Revision | undefined
}

interface Loaded {
  pages: ReadonlyMap<number, Page>
  total: number
}

/** What a list shows. Immutable: another object after every change. */
export interface ListView {
  /** Rows that match, in all. */
  total: number
  facets: readonly Facet[]
  /** Of the row at `index`; undefined while its window is not loaded. */
  idAt: (index: number) => string | undefined
  /** Nothing has been loaded yet. */
  isFirstLoad: boolean
  /** What is shown belongs to an earlier query. */
  isStale: boolean
  /** Rows that would change their place with "Refresh order". */
  moved: number
  error: unknown
  /** Grows with each query; tables scroll to the top when it does. */
  query: number
}

const nothing: Loaded = { pages: new Map(), total: 0 }

const orderInterval = 5_000
const arrivalInterval = 250
const leaveDelay = 1_500

export class LiveList<Row extends LiveRow> {
  private query: ListQuery = {}
  private queryNumber = 0
  private shownQuery = -1
  private shown: Loaded = nothing
  private staged: { loaded: Loaded; facets: readonly Facet[] } | undefined
  private facets: readonly Facet[] = []
  private wanted: [number, number] = [0, 0]
  private anchors: readonly string[] = []
  private frozen = false
  /** Where the stream started while a load was under way. */
  private needed: Revision | undefined
  private error: unknown
  private failures = 0
  private load: AbortController | undefined
  private again = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private timerAt = Infinity
  private swapTimer: ReturnType<typeof setTimeout> | undefined
  private loadedAt = -Infinity
  private stopListening: (() => void) | undefined
  private readonly listeners = new Set<() => void>()
  private view: ListView = this.makeView()

  constructor(
    private readonly source: ListSource<Row>,
    private readonly limit: number = windowRows,
  ) {}

  /** Begins to live; what is returned ends it. */
  start(): () => void {
    this.stopListening = this.source.collection.listen({
      onChanges: (changes) => this.onChanges(changes),
      onGap: (position) => this.onGap(position),
    })
    if (this.queryNumber > 0) this.reload()
    return () => {
      this.stopListening?.()
      this.stopListening = undefined
      this.load?.abort()
      this.load = undefined
      this.clearTimer()
      clearTimeout(this.swapTimer)
      this.dropStaged()
      this.hold(this.shown, nothing)
      this.shown = nothing
      this.shownQuery = -1
    }
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  snapshot = (): ListView => this.view

  /** Asks for another list; the rows of the old one stay until the new ones are there. */
  setQuery(query: ListQuery): void {
    if (this.queryNumber > 0 && sameQuery(query, this.query)) return
    this.query = query
    this.queryNumber += 1
    this.wanted = [0, 0]
    this.dropStaged()
    this.load?.abort()
    this.load = undefined
    if (this.stopListening !== undefined) this.reload()
    this.publish()
  }

  /** The indices on screen. Loads their windows and one on each side. */
  setRange(first: number, last: number): void {
    if (this.shownQuery !== this.queryNumber) return
    this.wanted = [Math.floor(first / this.limit), Math.floor(last / this.limit)]
    const missing = this.pagesWanted(this.shown.total).some((page) => !this.shown.pages.has(page))
    if (missing && this.load === undefined) this.reload()
    else if (missing) this.again = true
  }

  /** Rows that must not move now, by id. */
  setAnchors(ids: readonly string[]): void {
    this.anchors = ids
    this.swapSoon()
  }

  /** While true no row moves at all: a menu is open, or rows are selected. */
  setFrozen(frozen: boolean): void {
    this.frozen = frozen
    this.swapSoon()
  }

  /** A person who has just left a row may be on the way to "Refresh order", or to another row. */
  private swapSoon(): void {
    clearTimeout(this.swapTimer)
    if (this.staged !== undefined) this.swapTimer = setTimeout(() => this.trySwap(), leaveDelay)
  }

  /** Swaps the new order in, whatever the person is at. */
  refreshOrder(): void {
    if (this.staged === undefined) this.reload()
    else this.swap()
  }

  /** Loads again after a failure. */
  retry(): void {
    this.failures = 0
    this.reload()
  }

  private onChanges(changes: readonly RowChange<Row>[]): void {
    let arrival = false
    let order = false
    const inWindows = new Set([...this.shown.pages.values()].flatMap((page) => page.ids))
    const complete = inWindows.size >= this.shown.total
    for (const { id, before, after } of changes) {
      if (inWindows.has(id)) {
        if (after === undefined || !this.source.matches(after, this.query)) arrival = true
        else if (
          before === undefined ||
          this.source.place(before, this.query) !== this.source.place(after, this.query)
        )
          order = true
        else if (before.status !== after.status) order = true
      } else if (after === undefined) {
        order = true
      } else {
        const isNew = complete || after.gen <= 1
        if (isNew && this.source.matches(after, this.query)) arrival = true
        else order = true
      }
    }
    if (arrival) this.reloadWithin(arrivalInterval)
    else if (order) this.reloadWithin(orderInterval)
  }

  private onGap(position: Revision | undefined): void {
    if (this.load !== undefined) {
      // The answer under way may be new enough; `accept` decides.
      this.needed = position
      this.again ||= position === undefined
      return
    }
    const pages = [...this.shown.pages.values()]
    const outdated = position === undefined || pages.some((page) => !covers(page.revision, position))
    if (outdated || pages.length === 0) this.reload()
  }

  /** Loads again, the first time at once, then at most once in `interval` milliseconds. */
  private reloadWithin(interval: number): void {
    const at = Math.max(performance.now(), this.loadedAt + interval)
    if (at >= this.timerAt) return
    this.clearTimer()
    this.timerAt = at
    const wait = at - performance.now()
    if (wait <= 0) this.reload()
    else this.timer = setTimeout(() => this.reload(), wait)
  }

  private clearTimer(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.timerAt = Infinity
  }

  private reload(): void {
    this.clearTimer()
    if (this.queryNumber === 0 || this.stopListening === undefined) return
    if (this.load !== undefined) {
      this.again = true
      return
    }
    this.again = false
    this.loadedAt = performance.now()
    void this.loadPages()
  }

  private async loadPages(): Promise<void> {
    const abort = new AbortController()
    this.load = abort
    const query = this.query
    const endLoad = this.source.collection.beginLoad()
    try {
      const total = this.shownQuery === this.queryNumber ? this.shown.total : 0
      const numbers = this.pagesWanted(total)
      const windows = await Promise.all(
        numbers.map((page) =>
          this.source.fetch({ ...query, offset: page * this.limit, limit: this.limit }, abort.signal),
        ),
      )
      if (this.load !== abort) return
      this.accept(numbers, windows)
    } catch (error) {
      if (this.load !== abort) return
      this.fail(error)
    } finally {
      endLoad()
      if (this.load === abort) {
        this.load = undefined
        if (this.again) this.reload()
      }
    }
  }

  private accept(numbers: readonly number[], windows: readonly Window<Row>[]): void {
    const pages = new Map<number, Page>()
    for (const [at, window] of windows.entries()) {
      const ids = window.items.map((row) => row.id)
      pages.set(numbers[at] ?? 0, { ids, revision: parseRevision(window.revision) })
    }
    const loaded: Loaded = { pages, total: windows[0]?.total ?? 0 }
    this.hold(nothing, loaded)
    for (const window of windows) this.source.collection.put(window.items, parseRevision(window.revision))
    this.dropStaged()
    this.staged = { loaded, facets: windows[0]?.facets ?? [] }
    this.error = undefined
    this.failures = 0
    if ([...pages.values()].some((page) => !covers(page.revision, this.needed))) this.again = true
    this.needed = undefined
    this.trySwap()
  }

  private fail(error: unknown): void {
    this.error = error
    this.failures += 1
    this.publish()
    // A gap in the stream asks again when the server is back; this is for a failure without one.
    this.reloadWithin(Math.min(30_000, 1000 * 2 ** this.failures))
  }

  private trySwap(): void {
    if (this.staged === undefined) return
    const first = this.shownQuery !== this.queryNumber
    const still = first || this.staysInPlace(this.staged.loaded)
    if (still) {
      this.swap()
      return
    }
    this.facets = this.staged.facets
    this.adoptMissing(this.staged.loaded)
    this.publish()
  }

  /** Shows windows that scrolling has asked for, though the order of the others has to wait. */
  private adoptMissing(next: Loaded): void {
    const pages = new Map(
      [...next.pages].map(([number, page]) => [number, this.shown.pages.get(number) ?? page]),
    )
    const adopted: Loaded = { pages, total: this.shown.total }
    this.hold(this.shown, adopted)
    this.shown = adopted
  }

  private dropStaged(): void {
    if (this.staged !== undefined) this.hold(this.staged.loaded, nothing)
    this.staged = undefined
  }

  /** Whether the person would see no row move that they are at. */
  private staysInPlace(next: Loaded): boolean {
    if (this.frozen) return this.movesTo(next) === 0
    return this.anchors.every((id) => {
      const now = indexOf(this.shown, id, this.limit)
      if (now === undefined || !next.pages.has(Math.floor(now / this.limit))) return true
      return now === indexOf(next, id, this.limit)
    })
  }

  /** Rows that came, went or changed their order, as far as both have loaded the same windows. */
  private movesTo(next: Loaded): number {
    const both = [...next.pages.keys()]
      .filter((page) => this.shown.pages.has(page))
      .sort((one, other) => one - other)
    const idsOf = (loaded: Loaded) => both.flatMap((page) => loaded.pages.get(page)?.ids ?? [])
    const moves = countMoves(idsOf(this.shown), idsOf(next))
    return Math.max(moves, Math.abs(next.total - this.shown.total))
  }

  private swap(): void {
    if (this.staged === undefined) return
    const { loaded, facets } = this.staged
    this.staged = undefined
    this.hold(this.shown, nothing)
    this.shown = loaded
    this.facets = facets
    this.shownQuery = this.queryNumber
    this.publish()
  }

  /** Holds the rows of `next` and lets go those of `previous`. */
  private hold(previous: Loaded, next: Loaded): void {
    for (const page of next.pages.values()) for (const id of page.ids) this.source.collection.hold(id)
    for (const page of previous.pages.values()) for (const id of page.ids) this.source.collection.release(id)
  }

  private pagesWanted(total: number): number[] {
    const last = Math.max(0, Math.ceil(total / this.limit) - 1)
    const from = Math.max(0, Math.min(this.wanted[0] - 1, last))
    const to = Math.min(last, this.wanted[1] + 1)
    return Array.from({ length: to - from + 1 }, (_, at) => from + at)
  }

  private publish(): void {
    this.view = this.makeView()
    for (const listener of this.listeners) listener()
  }

  private makeView(): ListView {
    const { shown, limit } = this
    return {
      total: shown.total,
      facets: this.facets,
      idAt: (index) => shown.pages.get(Math.floor(index / limit))?.ids[index % limit],
      isFirstLoad: this.shownQuery < 0,
      isStale: this.shownQuery !== this.queryNumber,
      moved: this.staged === undefined ? 0 : this.movesTo(this.staged.loaded),
      error: this.error,
      query: this.shownQuery,
    }
  }
}

function sameQuery(one: ListQuery, other: ListQuery): boolean {
  return (
    one.search === other.search &&
    one.status === other.status &&
    one.host === other.host &&
    one.sort === other.sort
  )
}

function indexOf(loaded: Loaded, id: string, limit: number): number | undefined {
  for (const [number, page] of loaded.pages) {
    const at = page.ids.indexOf(id)
    if (at >= 0) return number * limit + at
  }
  return undefined
}
