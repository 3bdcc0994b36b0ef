/// <reference lib="webworker" />
/** The SharedWorker: one event stream for all tabs of the browser. */
import { Hub } from './hub'
import type { TabMessage } from './messages'

declare const self: SharedWorkerGlobalScope

const hub = new Hub()

self.onconnect = (event) => {
  const port = event.ports[0]
  if (port === undefined) return
  const take = hub.connect((message) => port.postMessage(message))
  port.onmessage = (incoming: MessageEvent<TabMessage>) => take(incoming.data)
}
