/** The tab's end of the event stream. */
import { Hub } from './hub'
import type { FeedMessage, TabMessage } from './messages'

export interface Link {
  send: (message: TabMessage) => void
}

/** Joins the stream of this browser; opens one of its own where the browser has no SharedWorker. */
export function openLink(receive: (message: FeedMessage) => void): Link {
  if (typeof SharedWorker === 'undefined') return { send: new Hub().connect(receive) }
  const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), {
    type: 'module',
    name: 'salar-live',
  })
  worker.port.onmessage = (event: MessageEvent<FeedMessage>) => receive(event.data)
  const link: Link = { send: (message) => worker.port.postMessage(message) }
  worker.onerror = () => {
    // The script could not be loaded (a policy, an old server): the tab holds the stream itself.
    const take = new Hub().connect(receive)
    link.send = take
    take({ kind: 'join' })
  }
  return link
}
