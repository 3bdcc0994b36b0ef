/** `/hosts`: every hypervisor. */
import { useNavigate } from '@tanstack/react-router'
import { useCallback } from 'react'
import type { Host } from '../../api/types'
import { AgoCell } from '../../parts/Ago'
import { AppLink } from '../../parts/AppLink'
import { NothingYet } from '../../parts/EmptyList'
import { countText, sizeText } from '../../parts/format'
import { PageFrame } from '../../parts/PageFrame'
import { StatusMark } from '../../parts/StatusMark'
import type { Column } from '../../parts/table/columns'
import { ListPage } from '../../parts/table/ListPage'
import { hosts as words } from '../../text/en'
import { AddHost } from './AddHost'

const columns: Column<Host>[] = [
  { key: 'name', label: words.name, width: 150, sort: 'name', cell: (host) => host.name },
  {
    key: 'status',
    label: words.freshness,
    width: 130,
    sort: 'freshness',
    cell: (host) => <StatusMark status={host.freshness} />,
  },
  {
    key: 'problem',
    label: words.problem,
    width: 260,
    from: 1000,
    cell: (host) => <span title={host.problem ?? undefined}>{host.problem}</span>,
  },
  {
    key: 'vms',
    label: words.vms,
    sort: 'vms',
    width: 110,
    align: 'end',
    cell: (host) => (
      <AppLink
        to={`/vms?host=${host.id}`}
        className="live-figure"
        aria-label={words.showVms(words.vmsOf(host.vms_running, host.vms_total), host.name)}
      >
        {words.vmsOf(host.vms_running, host.vms_total)}
      </AppLink>
    ),
  },
  {
    key: 'hypervisor',
    label: words.hypervisor,
    width: 120,
    cell: (host) => `${host.hypervisor} ${host.hypervisor_version}`,
  },
  {
    key: 'accelerated',
    label: words.accelerated,
    width: 115,
    from: 1000,
    cell: (host) => (host.accelerated ? words.hardware : words.emulated),
  },
  {
    key: 'cpus',
    label: words.cpus,
    width: 60,
    align: 'end',
    from: 800,
    cell: (host) => countText(host.cpus),
  },
  {
    key: 'memory',
    label: words.memory,
    width: 100,
    align: 'end',
    from: 800,
    cell: (host) => sizeText(host.memory_bytes),
  },
  {
    key: 'lastSeen',
    label: words.lastSeen,
    sort: 'last_seen',
    width: 110,
    cell: (host) => <AgoCell at={host.last_seen_at} />,
  },
  { key: 'libvirt', label: words.libvirt, width: 110, optional: true, cell: (host) => host.libvirt_version },
  { key: 'arch', label: words.arch, width: 110, optional: true, cell: (host) => host.arch },
  { key: 'uri', label: words.uri, width: 200, optional: true, cell: (host) => host.uri },
]

export function HostsPage() {
  const navigate = useNavigate()
  const open = useCallback((id: string) => void navigate({ to: '/hosts/$id', params: { id } }), [navigate])
  return (
    <PageFrame title={words.title} actions={<AddHost />} isFilled>
      <ListPage
        name="hosts"
        columns={columns}
        label={(host) => host.name}
        defaultSort="name"
        href={(id) => `/hosts/${id}`}
        onOpen={open}
        card={(host) => (
          <>
            <StatusMark status={host.freshness} /> {words.vmsOf(host.vms_running, host.vms_total)}
          </>
        )}
        empty={<NothingYet title={words.emptyTitle} body={words.emptyBody} command={words.emptyCommand} />}
      />
    </PageFrame>
  )
}
