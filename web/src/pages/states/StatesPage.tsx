/** `/states`: what state files would do to hosts, looked at before it is done. */
import { Skeleton } from '@patternfly/react-core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { createRun, runQuery, sessionQuery } from '../../api/queries'
import { PageFrame } from '../../parts/PageFrame'
import { ProblemAlert } from '../../parts/ProblemAlert'
import { common, states as words } from '../../text/en'
import { HostPlan } from './HostPlan'
import { slsNames } from './plan'
import { PlanForm, type Asked } from './PlanForm'
import type { StatesSearch } from './search'

export function StatesPage() {
  const search: StatesSearch = useSearch({ strict: false })
  const { data: session } = useQuery(sessionQuery)
  const { plan, isWorking, error } = usePlanning()
  const mayRun = session?.role === 'administrator'
  return (
    <PageFrame title={words.title}>
      <div className="states">
        <p className="quiet">{words.about}</p>
        <PlanForm
          key={`${search.target ?? ''} ${search.sls ?? ''}`}
          target={search.target ?? '*'}
          sls={search.sls ?? ''}
          isWorking={isWorking}
          reason={mayRun ? undefined : words.needsAdministrator}
          onPlan={plan}
        />
        {error !== undefined && <ProblemAlert error={error} title={words.planFailed} />}
        {search.plan !== undefined && <Job key={search.plan} jid={search.plan} onPlanAgain={plan} />}
      </div>
    </PageFrame>
  )
}

/** Asks for plans; the job stands in the address, so that a reload or a link shows the same plans. */
function usePlanning() {
  const navigate = useNavigate()
  const [isWorking, setWorking] = useState(false)
  const [error, setError] = useState<unknown>(undefined)
  const plan = async ({ target, sls }: Asked) => {
    setWorking(true)
    setError(undefined)
    const mods = slsNames(sls)
    try {
      const job = await createRun({
        target,
        target_kind: 'glob',
        fun: 'state.plan',
        kwargs: mods.length === 0 ? {} : { mods },
      })
      await navigate({ to: '.', search: { target, sls, plan: job.jid } })
    } catch (thrown) {
      setError(thrown)
    } finally {
      setWorking(false)
    }
  }
  return { plan, isWorking, error }
}

function Job({ jid, onPlanAgain }: { jid: string; onPlanAgain: (asked: Asked) => Promise<void> }) {
  const { target = '*', sls = '' }: StatesSearch = useSearch({ strict: false })
  const { data: job, error, refetch } = useQuery(runQuery(jid))
  if (error !== null) return <ProblemAlert error={error} onRetry={() => void refetch()} />
  if (job === undefined) return <Skeleton screenreaderText={common.loading} />
  return (
    <div className="plans">
      {job.actions.map((action) => (
        <HostPlan key={action.id} asked={action} onPlanAgain={() => void onPlanAgain({ target, sls })} />
      ))}
    </div>
  )
}
