/** A time: relative to read, absolute with its zone on hover and focus. */
import { Tooltip } from '@patternfly/react-core'
import { absoluteText, agoText } from './format'
import { useNow } from './clock'

/** In tables: cheap, the absolute time as title. */
export function AgoCell({ at }: { at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={absoluteText(at)}>
      {agoText(at, now)}
    </time>
  )
}

/** On pages: reachable by keyboard. */
export function Ago({ at }: { at: string }) {
  const now = useNow()
  return (
    <Tooltip content={absoluteText(at)}>
      {/* The absolute time has to be reachable without a pointer. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <time dateTime={at} tabIndex={0} className="ago">
        {agoText(at, now)}
      </time>
    </Tooltip>
  )
}
