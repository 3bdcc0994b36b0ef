/** Reads the JSON of stream events, trusting nothing but the frame: a malformed event is one we missed. */
import type { ChangedObject, CollectionName } from '../api/types'
import type { FeedMessage } from './messages'
import type { ServerEvent } from './sse'

const collections: readonly string[] = [
  'vms',
  'hosts',
  'pools',
  'networks',
  'actions',
] satisfies CollectionName[]

/** Undefined for kinds of a later server that this page does not know. */
export function parseFeed(event: ServerEvent): FeedMessage | undefined {
  const position = event.id
  switch (event.event) {
    case 'hello': {
      const data = json(event.data)
      if (!isRecord(data)) return { kind: 'reset', position }
      const build = typeof data.build === 'string' ? data.build : ''
      return { kind: 'hello', position, build, resumed: data.resumed === true }
    }
    case 'change': {
      const data = json(event.data)
      if (!isRecord(data) || !Array.isArray(data.objects)) return { kind: 'reset', position }
      return { kind: 'change', position, objects: data.objects.filter(isChangedObject) }
    }
    case 'reset':
      return { kind: 'reset', position }
    default:
      return undefined
  }
}

function isChangedObject(value: unknown): value is ChangedObject {
  if (!isRecord(value)) return false
  const named = typeof value.id === 'string' && typeof value.gen === 'number'
  return named && typeof value.collection === 'string' && collections.includes(value.collection)
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
