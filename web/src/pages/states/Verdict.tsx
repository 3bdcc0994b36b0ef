/** Shape and word of what a state came to, or would. */
import { ShapeIcon } from '../../parts/StatusMark'
import { shapeOfAction, pendingShape, type Shape } from '../../parts/shapes'
import { states as words } from '../../text/en'

export function Verdict({
  result,
  isPlan,
  changed,
}: {
  result: boolean | null
  isPlan: boolean
  changed: boolean
}) {
  const [shape, word] = meaning(result, isPlan, changed)
  return (
    <span className="status plan-verdict">
      <ShapeIcon shape={shape} />
      {word}
    </span>
  )
}

function meaning(result: boolean | null, isPlan: boolean, changed: boolean): [Shape, string] {
  if (result === false) return [shapeOfAction('failed'), isPlan ? words.cannot : words.failed]
  if (result === null) return [{ path: pendingShape, tone: 'info' }, words.wouldChange]
  return [shapeOfAction('succeeded'), changed ? words.changed : words.unchanged]
}
