/** What became of the states of a run. */
import { StateHead } from './PlannedStates'
import type { Outcome } from './plan'

export function Outcomes({ outcomes }: { outcomes: readonly Outcome[] }) {
  return (
    <ul className="plan-states">
      {outcomes.map(({ key, ...outcome }) => (
        <li key={key}>
          <StateHead {...outcome} />
        </li>
      ))}
    </ul>
  )
}
