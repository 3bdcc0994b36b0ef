/** `/hosts/$id`: one hypervisor, and what is on it. */
import { Alert, Skeleton } from '@patternfly/react-core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { problemOf } from '../../api/problem'
import { hostQuery } from '../../api/queries'
import type { CollectionName, Host } from '../../api/types'
import { Ago } from '../../parts/Ago'
import { AppLink } from '../../parts/AppLink'
import { useNow } from '../../parts/clock'
import { Facts, type Fact } from '../../parts/Facts'
import { agoText, countText, sizeText } from '../../parts/format'
import { Name } from '../../parts/Name'
import { PageFrame } from '../../parts/PageFrame'
import { ProblemAlert } from '../../parts/ProblemAlert'
import { Section } from '../../parts/Section'
import { StatusMark } from '../../parts/StatusMark'
import { useList, useSeen } from '../../parts/useLive'
import { common, hosts as words } from '../../text/en'
import { NetworkLine, PoolLine, VmLine } from './HostLines'
import { RemoveHost } from './RemoveHost'

const crumbs = [{ label: words.title, to: '/hosts' }]

export function HostPage() {
  const { id = '' }: { id?: string } = useParams({ strict: false })
  const seen = useSeen('hosts', id)
  const { data, error, refetch } = useQuery({
    ...hostQuery(id, seen?.row.gen),
    placeholderData: keepPreviousData,
  })
  const loaded = data?.id === id ? data : undefined
  const row = seen?.row
  const host = row !== undefined && (loaded === undefined || row.gen >= loaded.gen) ? row : loaded
  if (host !== undefined) return <Shown key={id} host={host} />
  return (
    <PageFrame title={words.title} crumbs={crumbs}>
      {error === null ? (
        <Skeleton screenreaderText={common.loading} />
      ) : (
        <ProblemAlert
          error={error}
          onRetry={problemOf(error).status === 404 ? undefined : () => void refetch()}
        />
      )}
    </PageFrame>
  )
}

function Shown({ host }: { host: Host }) {
  return (
    <PageFrame
      title={host.name}
      heading={<Name>{host.name}</Name>}
      crumbs={crumbs}
      actions={host.agentless === true && <RemoveHost host={host} />}
      aside={
        <span className="vm-head-facts" role="status">
          <StatusMark status={host.freshness} />
          {`${host.hypervisor} ${host.hypervisor_version}`}
        </span>
      }
    >
      <Trouble host={host} />
      <div className="two-columns">
        <div className="column">
          <Section title={words.facts}>
            <HostFacts host={host} />
          </Section>
          <Part
            name="networks"
            host={host.id}
            title={words.networksOn}
            path="/networks"
            none={words.noNetworks}
          >
            {(id) => <NetworkLine key={id} id={id} />}
          </Part>
        </div>
        <div className="column">
          <Part name="vms" host={host.id} title={words.vmsOn} path="/vms" none={words.noVms}>
            {(id) => <VmLine key={id} id={id} />}
          </Part>
          <Part name="pools" host={host.id} title={words.poolsOn} path="/storage" none={words.noPools}>
            {(id) => <PoolLine key={id} id={id} />}
          </Part>
        </div>
      </div>
    </PageFrame>
  )
}

/** Why the host cannot be read, how old what is shown is, and what to do. */
function Trouble({ host }: { host: Host }) {
  const now = useNow()
  if (host.freshness === 'live') return null
  return (
    <Alert
      component="p"
      isInline
      variant="danger"
      className="page-alert"
      title={host.problem ?? words.problemTitle(host.name)}
    >
      <p>{host.agentless === true ? words.remedyAgentless : words.remedy[host.freshness]}</p>
      <p>{words.problemHint(agoText(host.last_seen_at, now))}</p>
      {host.agentless !== true && <RemoveHost host={host} />}
    </Alert>
  )
}

function HostFacts({ host }: { host: Host }) {
  const facts: Fact[] = [
    [words.vms, words.vmsOf(host.vms_running, host.vms_total)],
    [words.cpus, countText(host.cpus)],
    [words.cpuModel, host.cpu_model],
    [words.memory, sizeText(host.memory_bytes)],
    [words.arch, host.arch],
    [words.accelerated, host.accelerated ? words.hardware : words.emulated],
    [words.hypervisor, `${host.hypervisor} ${host.hypervisor_version}`],
    [words.libvirt, host.libvirt_version],
    [words.uri, host.uri],
    [words.agent, host.agentless === true ? words.noAgent : words.ownAgent],
    [words.lastSeen, <Ago key="seen" at={host.last_seen_at} />],
  ]
  return <Facts facts={facts} />
}

/** The first of a list; the list itself has the rest. */
const most = 12

interface PartProps {
  name: CollectionName
  host: string
  title: string
  path: string
  none: string
  children: (id: string) => ReactNode
}

function Part({ name, host, title, path, none, children }: PartProps) {
  const { list, view } = useList(name, { host, sort: 'name' }, most)
  const ids = Array.from({ length: Math.min(view.total, most) }, (_, index) => view.idAt(index))
  const all = `${path}?host=${host}`
  return (
    <Section title={title} to={all}>
      {view.isFirstLoad && view.error !== undefined && (
        <ProblemAlert error={view.error} onRetry={() => list.retry()} />
      )}
      {!view.isFirstLoad && view.total === 0 && <p className="quiet">{none}</p>}
      <ul className="lines">{ids.map((id) => id !== undefined && children(id))}</ul>
      {view.total > most && (
        <AppLink to={all} className="lines-all">
          {words.showAll(view.total)}
        </AppLink>
      )}
    </Section>
  )
}
