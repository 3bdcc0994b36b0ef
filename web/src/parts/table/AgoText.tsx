import { list as words } from '../../text/en'
import { useNow } from '../clock'
import { agoText } from '../format'

/** "last known 3 min ago". */
export function AgoText({ at }: { at: string }) {
  return words.lastKnown(agoText(at, useNow()))
}
