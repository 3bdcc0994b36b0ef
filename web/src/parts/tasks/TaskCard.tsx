/** One task: what, where, who, how far; why it failed and what to do. */
import { Button } from '@patternfly/react-core'
import { problemOf } from '../../api/problem'
import { cancelAction, retryAction } from '../../api/queries'
import type { Action } from '../../api/types'
import { isFinal } from '../../live/wanted'
import { tasks as words } from '../../text/en'
import { Ago } from '../Ago'
import { AppLink } from '../AppLink'
import { Name } from '../Name'
import { problemWords } from '../ProblemAlert'
import { ActionMark } from '../StatusMark'
import { showToast } from '../toasts'
import { useSeen } from '../useLive'
import { TaskProgress } from './TaskProgress'

/** `isOnVmPage`: the link to the VM would lead to where the person is. */
export function LiveTaskCard({ id, isOnVmPage = false }: { id: string; isOnVmPage?: boolean }) {
  const seen = useSeen('actions', id)
  return seen === undefined || seen.gone ? null : <TaskCard action={seen.row} isOnVmPage={isOnVmPage} />
}

export function TaskCard({ action, isOnVmPage = false }: { action: Action; isOnVmPage?: boolean }) {
  const ended = isFinal(action.status)
  return (
    <article className="task-card" aria-label={action.summary}>
      <header>
        <Name most={70}>{action.summary}</Name>
        <ActionMark status={action.status} />
      </header>
      <div className="task-facts">
        {words.by(action.user, action.host)} · <Ago at={action.finished_at ?? action.created_at} />
      </div>
      {!ended && <TaskProgress action={action} />}
      {ended && action.status !== 'succeeded' && <TaskError action={action} />}
      <TaskButtons action={action} isOnVmPage={isOnVmPage} />
    </article>
  )
}

export function TaskError({ action }: { action: Action }) {
  if (action.status === 'cancelled') return null
  const cause =
    action.error?.message ?? (action.status === 'unknown' ? words.unknownOutcome : words.unknownCause)
  return (
    <div className="task-error">
      <p>{cause}</p>
      {action.error?.hint != null && <p className="task-hint">{action.error.hint}</p>}
    </div>
  )
}

export function TaskButtons({ action, isOnVmPage = false }: { action: Action; isOnVmPage?: boolean }) {
  const ended = isFinal(action.status)
  const canRetry = action.status === 'failed' || action.status === 'unknown'
  return (
    <div className="task-buttons">
      {!ended && (
        <Button
          variant="link"
          isInline
          size="sm"
          aria-label={words.cancelOf(action.summary)}
          onClick={() => void attempt(cancelAction(action.id), words.cancelFailed(action.summary))}
        >
          {words.cancel}
        </Button>
      )}
      {canRetry && (
        <Button
          variant="link"
          isInline
          size="sm"
          aria-label={words.retryOf(action.summary)}
          onClick={() => void attempt(retryAction(action.id), words.retryFailed(action.summary))}
        >
          {words.retry}
        </Button>
      )}
      {action.vm_id != null && !isOnVmPage && <AppLink to={`/vms/${action.vm_id}`}>{words.openVm}</AppLink>}
    </div>
  )
}

async function attempt(request: Promise<unknown>, failed: string): Promise<void> {
  try {
    await request
  } catch (error) {
    const { message, hint } = problemWords(problemOf(error))
    showToast({ variant: 'danger', title: failed, body: message, hint })
  }
}
