/** Before a bulk action: how many can, how many cannot and why. After it: the result of each. */
import { Button, Modal, ModalBody, ModalFooter, ModalHeader, Progress } from '@patternfly/react-core'
import { useState } from 'react'
import { problemOf } from '../../api/problem'
import type { PowerAction, Vm } from '../../api/types'
import { bulk, common, power } from '../../text/en'
import { Name } from '../Name'
import { problemWords } from '../ProblemAlert'
import { ShapeIcon } from '../StatusMark'
import { shapeOfAction } from '../shapes'
import { planBulk, runBulk, type BulkPlan, type BulkResult } from './bulkPlan'
import { needsConfirmation, requestWanted } from './power'

interface BulkDialogProps {
  action: PowerAction
  vms: readonly Vm[]
  /** Selected, but not loaded any more. */
  outside: number
  onClose: () => void
}

export function BulkDialog({ action, vms, outside, onClose }: BulkDialogProps) {
  const [plan] = useState(() => planBulk(vms, action))
  const [results, setResults] = useState<readonly BulkResult[] | undefined>(undefined)
  const [asked, setAsked] = useState(0)
  const failed = (results ?? []).filter((result) => result.error !== undefined)
  const isRunning = results !== undefined && results.length < asked
  const run = (targets: readonly Vm[]) => {
    setAsked(targets.length)
    setResults([])
    void runBulk(targets, (vm) => requestWanted(vm, action), setResults)
  }
  const title = titleOf(action, plan, results, asked)
  return (
    <Modal
      isOpen
      variant="small"
      onClose={onClose}
      aria-labelledby="bulk-title"
      aria-describedby="bulk-body"
      elementToFocus="#bulk-close"
    >
      <ModalHeader title={title} labelId="bulk-title" />
      <ModalBody id="bulk-body">
        {results === undefined ? (
          <Before plan={plan} action={action} outside={outside} />
        ) : (
          <After results={results} asked={asked} />
        )}
      </ModalBody>
      <ModalFooter>
        {results === undefined && plan.can.length > 0 && (
          <Button variant={needsConfirmation(action) ? 'danger' : 'primary'} onClick={() => run(plan.can)}>
            {power[action].bulk(plan.can.length)}
          </Button>
        )}
        {!isRunning && failed.length > 0 && (
          <Button variant="primary" onClick={() => run(failed.map((result) => result.vm))}>
            {bulk.retryFailed(failed.length)}
          </Button>
        )}
        <Button variant="link" id="bulk-close" onClick={onClose}>
          {results === undefined ? common.cancel : common.close}
        </Button>
      </ModalFooter>
    </Modal>
  )
}

function titleOf(
  action: PowerAction,
  plan: BulkPlan,
  results: readonly BulkResult[] | undefined,
  asked: number,
): string {
  if (results === undefined) {
    return plan.can.length === 0 ? bulk.noneTitle(action) : `${power[action].bulk(plan.can.length)}?`
  }
  if (results.length < asked) return bulk.working(results.length, asked)
  const failed = results.filter((result) => result.error !== undefined).length
  return bulk.resultTitle(action, results.length - failed, failed)
}

function Before({ plan, action, outside }: { plan: BulkPlan; action: PowerAction; outside: number }) {
  return (
    <div className="stack">
      <p>{plan.can.length > 0 ? power[action].consequence : bulk.noneCan}</p>
      {plan.can.length > 0 && <p>{bulk.can(plan.can.length)}</p>}
      {plan.cannotCount > 0 && <p>{bulk.cannot(plan.cannotCount)}</p>}
      <ul className="reasons">
        {plan.cannot.map(({ reason, names }) => (
          <li key={reason} title={names.slice(0, 20).join(', ')}>
            {bulk.reason(names.length, reason)}
          </li>
        ))}
      </ul>
      {outside > 0 && <p>{bulk.outside(outside)}</p>}
    </div>
  )
}

function After({ results, asked }: { results: readonly BulkResult[]; asked: number }) {
  return (
    <div className="stack">
      {results.length < asked && (
        <Progress value={(results.length / asked) * 100} aria-label={bulk.working(results.length, asked)} />
      )}
      <ul className="bulk-results">
        {results.map(({ vm, error }) => (
          <li key={vm.id}>
            <ShapeIcon shape={shapeOfAction(error === undefined ? 'succeeded' : 'failed')} />
            <Name most={30}>{vm.name}</Name>
            <span>{error === undefined ? bulk.resultOk : problemWords(problemOf(error)).message}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
