/** Tasks beside the page: running first, then the latest that ended. */
import { Button, Title } from '@patternfly/react-core'
import TimesIcon from '@patternfly/react-icons/dist/esm/icons/times-icon'
import { useEffect, useRef } from 'react'
import type { ListQuery } from '../api/types'
import { AppLink } from '../parts/AppLink'
import { ProblemAlert } from '../parts/ProblemAlert'
import { LiveTaskCard } from '../parts/tasks/TaskCard'
import { ended, unfinished } from '../parts/tasks/taskQuery'
import { useList } from '../parts/useLive'
import { common, tasks as words } from '../text/en'

const most = 20

export function TaskDrawer({ onClose }: { onClose: () => void }) {
  const box = useRef<HTMLElement>(null)
  useEffect(() => {
    const opener = document.activeElement
    box.current?.focus()
    return () => {
      if (opener instanceof HTMLElement) opener.focus()
    }
  }, [])
  return (
    <aside
      ref={box}
      className="task-drawer"
      aria-label={words.drawer}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose()
      }}
    >
      <header className="task-drawer-head">
        <Title headingLevel="h2" size="lg">
          {words.drawer}
        </Title>
        <AppLink to="/tasks">{words.all}</AppLink>
        <Button variant="plain" aria-label={common.close} icon={<TimesIcon />} onClick={onClose} />
      </header>
      <Section title={words.running} query={unfinished} empty={words.nothingRunning} />
      <Section title={words.recent} query={ended} empty={words.emptyTitle} />
    </aside>
  )
}

function Section({ title, query, empty }: { title: string; query: ListQuery; empty: string }) {
  const { list, view } = useList('actions', query, most)
  const ids = Array.from({ length: Math.min(view.total, most) }, (_, index) => view.idAt(index))
  return (
    <section aria-label={title}>
      <Title headingLevel="h3" size="md">
        {title}
      </Title>
      {view.isFirstLoad && view.error !== undefined && (
        <ProblemAlert error={view.error} onRetry={() => list.retry()} />
      )}
      {!view.isFirstLoad && view.total === 0 && <p className="quiet">{empty}</p>}
      {ids.map((id) => id !== undefined && <LiveTaskCard key={id} id={id} />)}
    </section>
  )
}
