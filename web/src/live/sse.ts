/**
 * Parser of server-sent events.
 *
 * The browser's own `EventSource` hides comments, and so a heartbeat, and cannot tell a refused sign-in from a lost
 * connection. The stream is therefore read with `fetch` and parsed here.
 */

export interface ServerEvent {
  /** Kind: `hello`, `change`, `reset`. */
  event: string
  data: string
  /** Last id seen on this connection. */
  id: string
}

export class SseParser {
  private buffer = ''
  private event = ''
  private data: string[] = []
  private id = ''

  /** Takes the next piece of the body, cut anywhere; returns the events that it completes. */
  push(piece: string): ServerEvent[] {
    this.buffer += piece
    const events: ServerEvent[] = []
    for (;;) {
      const end = this.buffer.search(/[\r\n]/)
      if (end < 0) return events
      // A carriage return at the very end may be half of a line break; wait for what follows.
      if (this.buffer[end] === '\r' && end === this.buffer.length - 1) return events
      const line = this.buffer.slice(0, end)
      const width = this.buffer[end] === '\r' && this.buffer[end + 1] === '\n' ? 2 : 1
      this.buffer = this.buffer.slice(end + width)
      const done = this.line(line)
      if (done !== undefined) events.push(done)
    }
  }

  private line(line: string): ServerEvent | undefined {
    if (line === '') return this.dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return undefined
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.event = value
    else if (field === 'data') this.data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.id = value
    return undefined
  }

  private dispatch(): ServerEvent | undefined {
    const { event, data } = this
    this.event = ''
    this.data = []
    // `reset` carries nothing; an unnamed event without data is none.
    if (event === '' && data.length === 0) return undefined
    return { event: event === '' ? 'message' : event, data: data.join('\n'), id: this.id }
  }
}
