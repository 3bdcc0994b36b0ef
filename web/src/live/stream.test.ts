import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Hub } from './hub'
import type { FeedMessage } from './messages'
import { parseRevision } from './revision'
import { backOff } from './stream'

/** A server whose connections the test writes to. */
class FakeServer {
  requests: {
    lastEventId: string | null
    write: (text: string) => void
    end: () => void
    signal: AbortSignal
  }[] = []
  status = 200

  fetch = (async (_url: RequestInfo | URL, init?: RequestInit) => {
    const signal = init?.signal ?? new AbortController().signal
    if (this.status === 0) throw new TypeError('no answer')
    if (this.status !== 200) return new Response(null, { status: this.status })
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined
    const body = new ReadableStream<Uint8Array>({
      start(started) {
        controller = started
      },
    })
    signal.addEventListener('abort', () => controller?.error(new DOMException('aborted', 'AbortError')))
    this.requests.push({
      lastEventId: new Headers(init?.headers).get('Last-Event-ID'),
      write: (text) => {
        if (!signal.aborted) controller?.enqueue(new TextEncoder().encode(text))
      },
      end: () => controller?.close(),
      signal,
    })
    return new Response(body, { status: 200 })
  }) as typeof fetch

  hello(at: number, resumed = false, rev = at + 1) {
    this.requests[at]?.write(`event: hello\nid: e1-${rev}\ndata: {"build":"b1","resumed":${resumed}}\n\n`)
  }
}

function setUp() {
  const server = new FakeServer()
  const hub = new Hub({ fetch: server.fetch, now: () => Date.now(), random: () => 1 })
  const joinTab = () => {
    const got: FeedMessage[] = []
    const send = hub.connect((message) => got.push(message))
    send({ kind: 'join' })
    const state = () => got.findLast((message) => message.kind === 'state')?.state.kind
    return { got, send, state }
  }
  return { server, joinTab }
}

/** Streams settle over several turns of the event loop, which fake timers do not hold. */
const settle = async () => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the event stream', () => {
  it('is one for all tabs', async () => {
    const { server, joinTab } = setUp()
    const first = joinTab()
    await settle()
    server.hello(0)
    await settle()
    const second = joinTab()
    expect(server.requests).toHaveLength(1)
    expect([first.state(), second.state()]).toEqual(['live', 'live'])
    expect(second.got[0]).toMatchObject({ kind: 'hello', position: 'e1-1', resumed: false })
  })

  it('comes back with the last event id', async () => {
    const { server, joinTab } = setUp()
    const tab = joinTab()
    await settle()
    server.hello(0)
    server.requests[0]?.write('event: change\nid: e1-8\ndata: {"objects":[]}\n\n')
    await settle()
    server.requests[0]?.end()
    await settle()
    expect(tab.state()).toBe('reconnecting')
    vi.advanceTimersByTime(1000)
    await settle()
    expect(server.requests[1]?.lastEventId).toBe('e1-8')
    server.hello(1, true, 20)
    await settle()
    expect(tab.state()).toBe('live')
    // Cut before the missed events have come: they are asked for again.
    server.requests[1]?.end()
    await settle()
    vi.advanceTimersByTime(1000)
    await settle()
    expect(server.requests[2]?.lastEventId).toBe('e1-8')
  })

  it('drops a connection that is silent for forty seconds, but not one with heartbeats', async () => {
    const { server, joinTab } = setUp()
    const tab = joinTab()
    await settle()
    server.hello(0)
    await settle()
    for (let beat = 0; beat < 5; beat += 1) {
      vi.advanceTimersByTime(15_000)
      server.requests[0]?.write(': beat\n\n')
      await settle()
    }
    expect(tab.state()).toBe('live')
    vi.advanceTimersByTime(40_000)
    await settle()
    expect(tab.state()).toBe('reconnecting')
  })

  it('tries again later and later, and at once when told to', async () => {
    const { server, joinTab } = setUp()
    server.status = 0
    const tab = joinTab()
    await settle()
    expect(tab.state()).toBe('reconnecting')
    vi.advanceTimersByTime(1000)
    await settle()
    server.status = 200
    tab.send({ kind: 'try_now' })
    await settle()
    server.hello(0)
    await settle()
    expect(tab.state()).toBe('live')
    expect([1, 2, 3, 4, 5, 6, 9].map((attempt) => backOff(attempt, 1))).toEqual([
      1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
    ])
    expect(backOff(3, 0)).toBe(2000)
  })

  it('stops when nobody is signed in', async () => {
    const { server, joinTab } = setUp()
    server.status = 401
    const tab = joinTab()
    await settle()
    expect(tab.state()).toBe('signed_out')
  })

  it('pauses when every tab has been hidden for five minutes', async () => {
    const { server, joinTab } = setUp()
    const [one, other] = [joinTab(), joinTab()]
    await settle()
    server.hello(0)
    await settle()
    one.send({ kind: 'visible', visible: false })
    vi.advanceTimersByTime(10_000)
    server.requests[0]?.write(': beat\n\n')
    await settle()
    other.send({ kind: 'visible', visible: false })
    for (let beat = 0; beat < 31; beat += 1) {
      vi.advanceTimersByTime(10_000)
      server.requests[0]?.write(': beat\n\n')
      await settle()
    }
    expect(one.state()).toBe('paused')
    one.send({ kind: 'visible', visible: true })
    await settle()
    expect(server.requests).toHaveLength(2)
  })

  it('ends with the last tab', async () => {
    const { server, joinTab } = setUp()
    const tab = joinTab()
    await settle()
    tab.send({ kind: 'leave' })
    expect(server.requests[0]?.signal.aborted).toBe(true)
  })
})

describe('parseRevision', () => {
  it('reads an epoch with dashes', () => {
    expect(parseRevision('a-b-12')).toEqual({ epoch: 'a-b', rev: 12 })
  })

  it.each(['', '12', '-3', 'e-', 'e-x'])('refuses %j', (text) => {
    expect(parseRevision(text)).toBeUndefined()
  })
})
