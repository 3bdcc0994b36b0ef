/**
 * The one connection to `/api/v1/events`: opens it, keeps it, says how it is.
 *
 * ```text
 *  connecting ──hello──▶ live ──lost, or silent for 40 s──▶ reconnecting ──hello──▶ live
 *       └───────────────── 401 ──▶ signed_out ◀── 401 ───────────┘
 *  any ── all pages hidden for 5 min ──▶ paused ── one shown ──▶ reconnecting
 * ```
 */
import type { FeedMessage, LinkState } from './messages'
import { parseFeed } from './parse'
import { SseParser } from './sse'

const path = '/api/v1/events'
/** The server sends a comment every 15 s; a connection silent for this long is dead. */
const silenceLimit = 40_000
const longestWait = 30_000

/** How long to wait before try number `attempt` (from 1): 1, 2, 4 … 30 s, each between half and all of it. */
export function backOff(attempt: number, random: number): number {
  const full = Math.min(longestWait, 1000 * 2 ** (attempt - 1))
  return Math.round(full / 2 + (full / 2) * random)
}

export interface StreamDeps {
  fetch: typeof fetch
  now: () => number
  random: () => number
}

const browser: StreamDeps = {
  fetch: (...request) => fetch(...request),
  now: () => Date.now(),
  random: () => Math.random(),
}

export class EventStream {
  private state: LinkState = { kind: 'connecting' }
  private position = ''
  private build = ''
  private attempt = 0
  private abort: AbortController | undefined
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly send: (message: FeedMessage) => void,
    private readonly deps: StreamDeps = browser,
  ) {}

  start(): void {
    void this.connect()
  }

  stop(): void {
    clearTimeout(this.timer)
    this.abort?.abort()
    this.abort = undefined
  }

  /** What a tab that joins later has to know. */
  greeting(): FeedMessage[] {
    const state: FeedMessage = { kind: 'state', state: this.state }
    if (this.position === '') return [state]
    return [{ kind: 'hello', position: this.position, build: this.build, resumed: false }, state]
  }

  /** Connects at once when it is waiting to, or was told to stop. */
  tryNow(): void {
    if (this.state.kind === 'live' || this.state.kind === 'connecting') return
    this.stop()
    this.attempt = 0
    if (this.state.kind !== 'reconnecting') this.change({ kind: 'connecting' })
    void this.connect()
  }

  pause(): void {
    if (this.state.kind === 'paused' || this.state.kind === 'signed_out') return
    this.stop()
    this.change({ kind: 'paused', since: this.deps.now() })
  }

  private change(state: LinkState): void {
    this.state = state
    this.send({ kind: 'state', state })
  }

  private async connect(): Promise<void> {
    const abort = new AbortController()
    this.abort = abort
    try {
      this.watchSilence(abort)
      const response = await this.deps.fetch(path, {
        headers: this.position === '' ? {} : { 'Last-Event-ID': this.position },
        credentials: 'same-origin',
        cache: 'no-store',
        signal: abort.signal,
      })
      if (response.status === 401) {
        this.stop()
        this.change({ kind: 'signed_out' })
        return
      }
      if (response.ok && response.body !== null) await this.read(response.body, abort)
    } catch {
      // Whatever broke it, the remedy is the same.
    }
    if (this.abort === abort) this.retryLater()
  }

  private async read(body: ReadableStream<Uint8Array<ArrayBuffer>>, abort: AbortController): Promise<void> {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader()
    const parser = new SseParser()
    for (;;) {
      const { done, value } = await reader.read()
      if (done || this.abort !== abort) return
      this.watchSilence(abort)
      for (const event of parser.push(value)) {
        const message = parseFeed(event)
        if (message !== undefined) this.take(message)
      }
    }
  }

  private take(message: FeedMessage): void {
    // Of a resumed connection only the events that follow move the position: were it cut in between, they are asked for again.
    const moves =
      'position' in message && message.position !== '' && !(message.kind === 'hello' && message.resumed)
    if (moves) this.position = message.position
    if (message.kind === 'hello') {
      this.build = message.build
      this.attempt = 0
      this.send(message)
      this.change({ kind: 'live' })
      return
    }
    this.send(message)
  }

  private watchSilence(abort: AbortController): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => abort.abort(), silenceLimit)
  }

  private retryLater(): void {
    clearTimeout(this.timer)
    this.attempt += 1
    const now = this.deps.now()
    const wait = backOff(this.attempt, this.deps.random())
    const since = this.state.kind === 'reconnecting' ? this.state.since : now
    this.change({ kind: 'reconnecting', since, nextTryAt: now + wait })
    this.timer = setTimeout(() => void this.connect(), wait)
  }
}
