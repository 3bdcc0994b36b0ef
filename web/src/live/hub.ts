/** Hands one event stream to many tabs. Runs in the SharedWorker, or in the tab itself where there is none. */
import type { FeedMessage, TabMessage } from './messages'
import { EventStream, type StreamDeps } from './stream'

/** After this long with every tab hidden the stream is closed. */
const pauseAfter = 5 * 60_000

interface Tab {
  send: (message: FeedMessage) => void
  visible: boolean
}

export class Hub {
  private readonly tabs = new Set<Tab>()
  private stream: EventStream | undefined
  private hiddenTimer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly deps?: StreamDeps) {}

  /** Adds a tab; what is returned takes its messages. */
  connect(send: (message: FeedMessage) => void): (message: TabMessage) => void {
    const tab: Tab = { send, visible: true }
    return (message) => this.take(tab, message)
  }

  private take(tab: Tab, message: TabMessage): void {
    switch (message.kind) {
      case 'join':
        this.join(tab)
        break
      case 'leave':
        this.leave(tab)
        break
      case 'try_now':
        this.stream?.tryNow()
        break
      case 'visible':
        tab.visible = message.visible
        this.watchHidden()
        // Somebody looks: do not let them wait for the next try.
        if (message.visible) this.stream?.tryNow()
        break
    }
  }

  private join(tab: Tab): void {
    this.tabs.add(tab)
    if (this.stream === undefined) {
      this.stream = new EventStream((message) => this.broadcast(message), this.deps)
      this.stream.start()
    } else {
      // The tab has just signed in, or been shown: whatever stopped the stream may be over. First this, so that the
      // tab does not hear of an end of session that it has just mended.
      this.stream.tryNow()
      for (const message of this.stream.greeting()) tab.send(message)
    }
    this.watchHidden()
  }

  private leave(tab: Tab): void {
    this.tabs.delete(tab)
    if (this.tabs.size > 0) {
      this.watchHidden()
      return
    }
    clearTimeout(this.hiddenTimer)
    this.hiddenTimer = undefined
    this.stream?.stop()
    this.stream = undefined
  }

  private watchHidden(): void {
    const shown = [...this.tabs].some((tab) => tab.visible)
    if (shown) {
      clearTimeout(this.hiddenTimer)
      this.hiddenTimer = undefined
    } else {
      this.hiddenTimer ??= setTimeout(() => this.stream?.pause(), pauseAfter)
    }
  }

  private broadcast(message: FeedMessage): void {
    for (const tab of this.tabs) tab.send(message)
  }
}
