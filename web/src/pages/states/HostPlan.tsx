/** The plan for one host, on its way, made, agreed on, carried out. */
import { Alert, Button, Card, CardBody, CardTitle } from '@patternfly/react-core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { actionQuery, createRun } from '../../api/queries'
import type { Action } from '../../api/types'
import { isFinal } from '../../live/wanted'
import { ProblemAlert } from '../../parts/ProblemAlert'
import { ActionButton } from '../../parts/power/ActionButton'
import { ActionMark } from '../../parts/StatusMark'
import { TaskError } from '../../parts/tasks/TaskCard'
import { TaskProgress } from '../../parts/tasks/TaskProgress'
import { useSeen } from '../../parts/useLive'
import { states as words } from '../../text/en'
import { graveSteps, readFaults, readOutcomes, readPlan, worstOf, type Plan } from './plan'
import { Outcomes } from './Outcomes'
import { ConsequenceMark, PlannedStates } from './PlannedStates'

interface HostPlanProps {
  /** The action that plans, as it was when it was asked for. */
  asked: Action
  onPlanAgain: () => void
}

export function HostPlan({ asked, onPlanAgain }: HostPlanProps) {
  const { action, error, retry } = useOutcome(asked)
  const [applied, setApplied] = useState<Action | undefined>()
  const plan = useMemo(() => readPlan(action.result), [action.result])
  return (
    <Card component="section" aria-label={words.planFor(action.host)} isCompact>
      <CardTitle component="h2">
        <span className="plan-title" role="status">
          {action.host}
          {plan === undefined ? <ActionMark status={action.status} /> : <Totals plan={plan} />}
        </span>
      </CardTitle>
      <CardBody>
        {!isFinal(action.status) && <TaskProgress action={action} />}
        {error !== null && <ProblemAlert error={error} onRetry={retry} />}
        {isFinal(action.status) && plan === undefined && error === null && <NoPlan action={action} />}
        {plan !== undefined && applied === undefined && (
          <Agree plan={plan} host={action.host} onApplied={setApplied} />
        )}
        {applied !== undefined && <Applied asked={applied} onPlanAgain={onPlanAgain} />}
      </CardBody>
    </Card>
  )
}

/**
 * An action with its result, as soon as it has one. It may have ended between the answer that brought it and the first
 * event that is heard of it here, so it is looked at once more.
 */
function useOutcome(asked: Action) {
  const seen = useSeen('actions', asked.id)
  const known = seen !== undefined && seen.row.gen >= asked.gen ? seen.row : asked
  const { data, error, refetch } = useQuery({
    ...actionQuery(asked.id, known.gen),
    enabled: isFinal(known.status) || seen === undefined,
    placeholderData: keepPreviousData,
  })
  const action = data !== undefined && data.gen >= known.gen ? data : known
  return { action, error, retry: () => void refetch() }
}

/** States that do not compile, or a host that could not answer. */
function NoPlan({ action }: { action: Action }) {
  const faults = readFaults(action.result)
  if (faults === undefined || faults.length === 0) return <TaskError action={action} />
  return (
    <Alert component="p" variant="danger" isInline title={words.notCompiled(faults.length)}>
      <ul className="plan-faults">
        {faults.map((fault) => (
          <li key={fault}>{fault}</li>
        ))}
      </ul>
    </Alert>
  )
}

function Totals({ plan }: { plan: Plan }) {
  const worst = worstOf(plan)
  const change = plan.states.filter((state) => state.result === null).length
  const fail = plan.states.filter((state) => state.result === false).length
  return (
    <span className="plan-totals">
      {words.totals(plan.states.length, change, fail)}
      {worst !== undefined && <ConsequenceMark consequence={worst} />}
    </span>
  )
}

/** The plan to read, and the button that carries out exactly that. */
function Agree({ plan, host, onApplied }: { plan: Plan; host: string; onApplied: (action: Action) => void }) {
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set())
  const [isWorking, setWorking] = useState(false)
  const [error, setError] = useState<unknown>(undefined)
  const tick = (key: string, isOn: boolean) => {
    const next = new Set(ticked)
    if (isOn) next.add(key)
    else next.delete(key)
    setTicked(next)
  }
  const apply = async () => {
    setWorking(true)
    setError(undefined)
    try {
      const job = await createRun({
        target: host,
        target_kind: 'list',
        fun: 'state.apply_plan',
        kwargs: { plan: plan.agreed },
      })
      const [action] = job.actions
      if (action !== undefined) onApplied(action)
    } catch (thrown) {
      setError(thrown)
    } finally {
      setWorking(false)
    }
  }
  const hasSteps = plan.states.some((state) => state.steps.length > 0)
  return (
    <>
      <PlannedStates plan={plan} ticked={ticked} onTick={tick} />
      {error !== undefined && <ProblemAlert error={error} title={words.applyFailed} />}
      {hasSteps && (
        <div className="plan-submit">
          <ActionButton
            reason={whyNotApply(plan, ticked)}
            isLoading={isWorking}
            spinnerAriaValueText={isWorking ? words.applying : undefined}
            onClick={() => void apply()}
          >
            {words.apply(host)}
          </ActionButton>
          <span className="quiet">{words.applyHelp}</span>
        </div>
      )}
    </>
  )
}

function whyNotApply(plan: Plan, ticked: ReadonlySet<string>): string | undefined {
  if (plan.states.some((state) => state.result === false)) return words.hasFailing
  const open = graveSteps(plan).filter((step) => !ticked.has(step.key)).length
  return open > 0 ? words.tickFirst(open) : undefined
}

function Applied({ asked, onPlanAgain }: { asked: Action; onPlanAgain: () => void }) {
  const { action, error, retry } = useOutcome(asked)
  const outcomes = readOutcomes(action.result)
  const ended = isFinal(action.status)
  return (
    <>
      <h3>
        <span className="plan-applied" role="status">
          {words.applied} <ActionMark status={action.status} />
        </span>
      </h3>
      {!ended && <TaskProgress action={action} />}
      {error !== null && <ProblemAlert error={error} onRetry={retry} />}
      {ended && action.status !== 'succeeded' && <TaskError action={action} />}
      {outcomes !== undefined && <Outcomes outcomes={outcomes} />}
      {ended && (
        <Button variant="secondary" onClick={onPlanAgain}>
          {words.planAgain}
        </Button>
      )}
    </>
  )
}
