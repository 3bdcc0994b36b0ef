/** The states of a plan with their steps: what is done, what it means, and the definition before and after. */
import { Checkbox, ExpandableSection, Label, type LabelProps } from '@patternfly/react-core'
import { useMemo } from 'react'
import { states as words } from '../../text/en'
import { differingLines } from './lines'
import { isGrave, stepKey, type Consequence, type Plan, type PlannedState, type PlannedStep } from './plan'
import { Verdict } from './Verdict'

interface PlannedStatesProps {
  plan: Plan
  /** Keys of the grave steps that a person has agreed to. */
  ticked: ReadonlySet<string>
  onTick: (key: string, isOn: boolean) => void
}

export function PlannedStates({ plan, ticked, onTick }: PlannedStatesProps) {
  if (plan.states.length === 0) return <p className="quiet">{words.noStates}</p>
  return (
    <ul className="plan-states">
      {plan.states.map((state) => (
        <li key={state.key}>
          <StateHead id={state.id} fun={state.fun} result={state.result} comment={state.comment} isPlan />
          <Steps state={state} ticked={ticked} onTick={onTick} />
          <Remarks state={state} />
        </li>
      ))}
    </ul>
  )
}

interface StateHeadProps {
  id: string
  fun: string
  result: boolean | null
  comment: string
  isPlan?: boolean
  changed?: boolean
}

/** One state: what it came or would come to. */
export function StateHead({ id, fun, result, comment, isPlan = false, changed = false }: StateHeadProps) {
  return (
    <div className="plan-state">
      <Verdict result={result} isPlan={isPlan} changed={changed} />
      <strong translate="no">{id}</strong>
      <span className="mono quiet">{fun}</span>
      <span className="plan-comment">{comment}</span>
    </div>
  )
}

function Steps({ state, ticked, onTick }: { state: PlannedState } & Omit<PlannedStatesProps, 'plan'>) {
  if (state.steps.length === 0) return null
  return (
    <ol className="plan-steps" aria-label={words.stepsOf(state.id)}>
      {state.steps.map((step, index) => {
        const key = stepKey(state, index)
        return (
          // The steps of a plan never change their order.
          <li key={key}>
            <div className="plan-step">
              <ConsequenceMark consequence={step.consequence} />
              {isGrave(step.consequence) ? (
                <Checkbox
                  id={`tick-${key}`}
                  label={step.summary}
                  description={words.tickHelp[step.consequence]}
                  isChecked={ticked.has(key)}
                  onChange={(_event, isOn) => onTick(key, isOn)}
                />
              ) : (
                <span>{step.summary}</span>
              )}
            </div>
            {step.diff !== undefined && <Difference step={step} diff={step.diff} />}
          </li>
        )
      })}
    </ol>
  )
}

function Remarks({ state }: { state: PlannedState }) {
  const remarks = [...state.pending.map(words.waits), ...state.notes]
  if (remarks.length === 0) return null
  return (
    <ul className="plan-remarks">
      {remarks.map((remark) => (
        <li key={remark}>{remark}</li>
      ))}
    </ul>
  )
}

const colours: Record<Consequence, LabelProps['color']> = {
  none: 'grey',
  live: 'green',
  'next boot': 'blue',
  downtime: 'orange',
  'loss of data': 'red',
}

/** The word always stands beside the colour. */
export function ConsequenceMark({ consequence }: { consequence: Consequence }) {
  return (
    <Label isCompact color={colours[consequence]} className="plan-consequence">
      {words.consequence[consequence]}
    </Label>
  )
}

function Difference({ step, diff }: { step: PlannedStep; diff: NonNullable<PlannedStep['diff']> }) {
  const lines = useMemo(() => differingLines(diff.before, diff.after), [diff])
  if (lines.length === 0) return null
  return (
    <ExpandableSection
      toggleTextCollapsed={words.showDifference}
      toggleTextExpanded={words.hideDifference}
      className="plan-difference"
    >
      <pre
        className="mono"
        tabIndex={0}
        role="region"
        aria-label={words.differenceOf(step.summary)}
        translate="no"
      >
        {lines.map((line, index) => (
          // Lines have nothing else that tells them apart, and the list never changes.
          <span key={index} className={`line-${line.kind}`}>
            {line.kind === 'skipped' ? words.skipped(Number(line.text)) : `${signs[line.kind]} ${line.text}`}
            {'\n'}
          </span>
        ))}
      </pre>
    </ExpandableSection>
  )
}

const signs = { same: ' ', added: '+', removed: '-' }
