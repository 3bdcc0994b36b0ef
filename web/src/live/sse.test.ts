import { describe, expect, it } from 'vitest'
import { seeded } from '../test/fleet'
import { parseFeed } from './parse'
import { SseParser } from './sse'

const text =
  'event: hello\nid: e1-5\ndata: {"build":"b1","resumed":false}\n\n' +
  ': beat\n\n' +
  'event: change\r\nid: e1-6\r\ndata: {"objects":\r\ndata: []}\r\n\r\n' +
  'event: reset\nid: e1-7\ndata:\n\n'

describe('SseParser', () => {
  it('reads events, and no comments', () => {
    const events = new SseParser().push(text)
    expect(events.map(({ event, id }) => [event, id])).toEqual([
      ['hello', 'e1-5'],
      ['change', 'e1-6'],
      ['reset', 'e1-7'],
    ])
    expect(events[1]?.data).toBe('{"objects":\n[]}')
  })

  it('reads the same however the text is cut', () => {
    const whole = new SseParser().push(text)
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = seeded(seed)
      const parser = new SseParser()
      const events = []
      for (let from = 0; from < text.length;) {
        const to = from + 1 + Math.floor(random() * 12)
        events.push(...parser.push(text.slice(from, to)))
        from = to
      }
      expect(events, `seed ${seed}`).toEqual(whole)
    }
  })
})

describe('parseFeed', () => {
  it('takes a malformed change for a missed one', () => {
    expect(parseFeed({ event: 'change', data: '{', id: 'e1-1' })).toEqual({ kind: 'reset', position: 'e1-1' })
  })

  it('leaves out objects of collections it does not know', () => {
    const data = JSON.stringify({ objects: [{ id: 'a', gen: 1, collection: 'volumes', row: {} }] })
    expect(parseFeed({ event: 'change', data, id: 'e1-1' })).toMatchObject({ kind: 'change', objects: [] })
  })

  it('ignores kinds of a later server', () => {
    expect(parseFeed({ event: 'weather', data: '', id: '' })).toBeUndefined()
  })
})
