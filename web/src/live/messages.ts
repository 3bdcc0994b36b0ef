/** What passes between the holder of the event stream and the tabs. */
import type { ChangedObject } from '../api/types'

export type LinkState =
  | { kind: 'connecting' }
  | { kind: 'live' }
  /** Times are those of `Date.now()`. */
  | { kind: 'reconnecting'; since: number; nextTryAt: number }
  | { kind: 'paused'; since: number }
  | { kind: 'signed_out' }

/** To tabs. */
export type FeedMessage =
  | { kind: 'state'; state: LinkState }
  /** Windows older than `position` have to be loaded again; `build` is the server's. */
  | { kind: 'hello'; position: string; build: string; resumed: boolean }
  | { kind: 'change'; position: string; objects: ChangedObject[] }
  | { kind: 'reset'; position: string }

/** From tabs. */
export type TabMessage =
  | { kind: 'join' }
  | { kind: 'leave' }
  | { kind: 'try_now' }
  /** The page is shown, or has been hidden. */
  | { kind: 'visible'; visible: boolean }
