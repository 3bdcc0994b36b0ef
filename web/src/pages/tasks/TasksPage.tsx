/** `/tasks`: everything that was asked of the hosts. */
import type { Action } from '../../api/types'
import { AgoCell } from '../../parts/Ago'
import { NothingYet } from '../../parts/EmptyList'
import { durationText } from '../../parts/format'
import { PageFrame } from '../../parts/PageFrame'
import { shapeOfAction } from '../../parts/shapes'
import { ActionMark } from '../../parts/StatusMark'
import type { Column } from '../../parts/table/columns'
import { ListPage } from '../../parts/table/ListPage'
import { TaskButtons, TaskError } from '../../parts/tasks/TaskCard'
import { TaskProgress } from '../../parts/tasks/TaskProgress'
import { isFinal } from '../../live/wanted'
import { common, tasks as words } from '../../text/en'

const columns: Column<Action>[] = [
  { key: 'summary', label: words.summary, width: 220, cell: (action) => action.summary },
  {
    key: 'status',
    label: common.status,
    width: 120,
    sort: 'status',
    cell: (action) => <ActionMark status={action.status} />,
  },
  { key: 'progress', label: words.progress, width: 290, cell: (action) => <Outcome action={action} /> },
  { key: 'host', label: words.host, sort: 'host', width: 110, from: 800, cell: (action) => action.host },
  { key: 'user', label: words.user, sort: 'user', width: 90, from: 800, cell: (action) => action.user },
  {
    key: 'created_at',
    label: words.created,
    width: 120,
    sort: 'created',
    cell: (action) => <AgoCell at={action.created_at} />,
  },
  { key: 'took', label: words.took, width: 90, from: 1000, cell: took },
  { key: 'actions', label: common.actions, width: 170, cell: (action) => <TaskButtons action={action} /> },
]

function Outcome({ action }: { action: Action }) {
  if (!isFinal(action.status)) return <TaskProgress action={action} isLine />
  if (action.status === 'succeeded') return null
  return (
    <div className="one-line" title={[action.error?.message, action.error?.hint].filter(Boolean).join('\n')}>
      <TaskError action={action} />
    </div>
  )
}

function took(action: Action): string {
  if (action.started_at == null || action.finished_at == null) return common.dash
  return durationText((Date.parse(action.finished_at) - Date.parse(action.started_at)) / 1000)
}

export function TasksPage() {
  return (
    <PageFrame title={words.title} isFilled>
      <ListPage
        name="actions"
        columns={columns}
        label={(action) => action.summary}
        defaultSort="-created"
        shapeOf={shapeOfAction}
        card={(action) => (
          <>
            <ActionMark status={action.status} /> {action.host}
          </>
        )}
        empty={<NothingYet title={words.emptyTitle} body={words.emptyBody} command={words.emptyCommand} />}
      />
    </PageFrame>
  )
}
