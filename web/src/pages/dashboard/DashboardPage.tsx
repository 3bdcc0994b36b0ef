/** `/`: is all well, and if not, where. */
import type { Facet } from '../../api/types'
import type { ListView } from '../../live/list'
import { collections } from '../../live/live'
import { AppLink } from '../../parts/AppLink'
import { countText, percentText, sizeText } from '../../parts/format'
import { highUse, Meter } from '../../parts/Meter'
import { Name } from '../../parts/Name'
import { PageFrame } from '../../parts/PageFrame'
import { ProblemAlert } from '../../parts/ProblemAlert'
import { PoolUse } from '../../parts/PoolUse'
import { Section } from '../../parts/Section'
import { shapeOfStatus } from '../../parts/shapes'
import { ShapeIcon, StatusMark } from '../../parts/StatusMark'
import { LiveTaskCard } from '../../parts/tasks/TaskCard'
import { useList, useSeen } from '../../parts/useLive'
import { dashboard as words, pools as poolWords, statusLabel, tasks } from '../../text/en'

export function DashboardPage() {
  const vms = useList('vms', { sort: 'name' }, 1)
  const hosts = useList('hosts', { sort: 'name' })
  const pools = useList('pools', { sort: 'name' })
  const networks = useList('networks', { sort: 'name' }, 1)
  const hostIds = idsOf(hosts.view)
  const poolIds = idsOf(pools.view)
  return (
    <PageFrame title={words.title}>
      {vms.view.error !== undefined && (
        <ProblemAlert error={vms.view.error} onRetry={() => vms.list.retry()} />
      )}
      <div className="tiles">
        <CountTile title={words.vms} path="/vms" view={vms.view} empty={words.noVms} />
        <CountTile title={words.hosts} path="/hosts" view={hosts.view} empty={words.noHosts} />
        <CountTile title={words.storage} path="/storage" view={pools.view} empty={words.noPools} />
        <CountTile title={words.networks} path="/networks" view={networks.view} empty={words.noNetworks} />
      </div>
      <div className="two-columns">
        <div className="column">
          <Section title={words.attention}>
            <Attention
              crashed={countOf(vms.view.facets, 'crashed')}
              hostIds={hostIds}
              poolIds={poolIds}
              isKnown={!vms.view.isFirstLoad && !hosts.view.isFirstLoad && !pools.view.isFirstLoad}
            />
          </Section>
          <Section title={words.byHost} to="/hosts">
            <ul className="lines">
              {hostIds.map((id) => (
                <HostLine key={id} id={id} />
              ))}
            </ul>
          </Section>
          <Section title={words.capacity} to="/storage">
            <ul className="lines">
              {fullest(poolIds).map((id) => (
                <Capacity key={id} id={id} />
              ))}
            </ul>
          </Section>
        </div>
        <div className="column">
          <Section title={words.latest} to="/tasks">
            <LatestTasks />
          </Section>
        </div>
      </div>
    </PageFrame>
  )
}

function LatestTasks() {
  const { view } = useList('actions', { sort: '-created' }, 10)
  if (!view.isFirstLoad && view.total === 0) return <p className="quiet">{tasks.emptyTitle}</p>
  return idsOf(view)
    .slice(0, 10)
    .map((id) => <LiveTaskCard key={id} id={id} />)
}

interface CountTileProps {
  title: string
  path: string
  view: ListView
  empty: string
}

function CountTile({ title, path, view, empty }: CountTileProps) {
  return (
    <Section title={title} to={path}>
      {!view.isFirstLoad && <Counts facets={view.facets} total={view.total} empty={empty} path={path} />}
    </Section>
  )
}

interface CountsProps {
  facets: readonly Facet[]
  total: number
  empty: string
  path: string
}

/** Counts by state, each a link to the filtered list. */
function Counts({ facets, total, empty, path }: CountsProps) {
  if (total === 0) return <p className="quiet">{empty}</p>
  const values = facets.find((facet) => facet.field === 'status')?.values ?? []
  return (
    <div className="counts">
      <AppLink to={path} className="count-total live-figure">
        {countText(total)}
      </AppLink>
      <ul>
        {values.map((value) => (
          <li key={value.value}>
            <AppLink to={`${path}?status=${value.value}`} className="count">
              <ShapeIcon shape={shapeOfStatus(value.value)} />
              <span className="live-figure">{countText(value.count)}</span> {statusLabel(value.value)}
            </AppLink>
          </li>
        ))}
      </ul>
    </div>
  )
}

function HostLine({ id }: { id: string }) {
  const host = useSeen('hosts', id)?.row
  if (host === undefined) return null
  return (
    <li>
      <AppLink to={`/hosts/${host.id}`} className="row-link">
        <Name most={30}>{host.name}</Name>
      </AppLink>
      <StatusMark status={host.freshness} />
      <span className="live-figure lines-end">{words.running(host.vms_running, host.vms_total)}</span>
    </li>
  )
}

/** So many bars at the most. */
const bars = 8

function fullest(ids: readonly string[]): string[] {
  const share = (id: string) => {
    const pool = collections.pools.get(id)
    return pool === undefined || pool.capacity_bytes === 0 ? 0 : pool.allocation_bytes / pool.capacity_bytes
  }
  return ids
    .filter((id) => share(id) > 0)
    .toSorted((one, other) => share(other) - share(one))
    .slice(0, bars)
}

function Capacity({ id }: { id: string }) {
  const pool = useSeen('pools', id)?.row
  if (pool === undefined) return null
  return (
    <li>
      <Name most={24}>{pool.name}</Name>
      <Name most={24}>{pool.host.name}</Name>
      <PoolUse pool={pool} />
    </li>
  )
}

interface AttentionProps {
  crashed: number
  hostIds: readonly string[]
  poolIds: readonly string[]
  isKnown: boolean
}

function Attention({ crashed, hostIds, poolIds, isKnown }: AttentionProps) {
  const troubled = hostIds.filter((id) => collections.hosts.get(id)?.problem != null)
  const full = poolIds.filter((id) => isFull(id))
  const nothing = crashed === 0 && troubled.length === 0 && full.length === 0
  if (nothing) return <p className="quiet">{isKnown ? words.allWell : ''}</p>
  return (
    <ul className="attention">
      {troubled.map((id) => (
        <HostProblem key={id} id={id} />
      ))}
      {crashed > 0 && (
        <li>
          <StatusMark status="crashed" word={words.crashed(crashed)} />
          <AppLink to="/vms?status=crashed">{words.showCrashed}</AppLink>
        </li>
      )}
      {full.map((id) => (
        <FullPool key={id} id={id} />
      ))}
    </ul>
  )
}

function HostProblem({ id }: { id: string }) {
  const host = useSeen('hosts', id)?.row
  if (host?.problem == null) return null
  return (
    <li>
      <StatusMark status={host.freshness} word={words.hostIs(host.name, statusLabel(host.freshness))} />
      <span>{host.problem}</span>
      <AppLink to={`/hosts/${host.id}`}>{words.whatToDo}</AppLink>
    </li>
  )
}

function FullPool({ id }: { id: string }) {
  const pool = useSeen('pools', id)?.row
  if (pool === undefined) return null
  const percent = percentText(pool.allocation_bytes, pool.capacity_bytes)
  return (
    <li>
      <span>{words.poolFull(pool.name, pool.host.name, percent)}</span>
      <Meter
        label={poolWords.meter(pool.name, percent)}
        used={pool.allocation_bytes}
        all={pool.capacity_bytes}
      />
      <span>{words.storageUsed(sizeText(pool.allocation_bytes), sizeText(pool.capacity_bytes))}</span>
      <AppLink to="/storage">{words.showPools}</AppLink>
    </li>
  )
}

function isFull(id: string): boolean {
  const pool = collections.pools.get(id)
  return (
    pool !== undefined && pool.capacity_bytes > 0 && pool.allocation_bytes / pool.capacity_bytes > highUse
  )
}

function countOf(facets: readonly Facet[], status: string): number {
  const facet = facets.find((one) => one.field === 'status')
  return facet?.values.find((value) => value.value === status)?.count ?? 0
}

function idsOf(view: { total: number; idAt: (index: number) => string | undefined }): string[] {
  return Array.from({ length: Math.min(view.total, 200) }, (_, index) => view.idAt(index)).filter(
    (id) => id !== undefined,
  )
}
