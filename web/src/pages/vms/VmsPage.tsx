/** `/vms`: every virtual machine. */
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useState } from 'react'
import type { Vm } from '../../api/types'
import { NothingYet } from '../../parts/EmptyList'
import { AgoCell } from '../../parts/Ago'
import { countText, guestKind, sizeText } from '../../parts/format'
import { HostLink } from '../../parts/HostLink'
import { Name } from '../../parts/Name'
import { PageFrame } from '../../parts/PageFrame'
import { BulkBar } from '../../parts/power/BulkBar'
import { VmRowMenu } from '../../parts/power/VmRowMenu'
import { VmStatusMark } from '../../parts/StatusMark'
import { pendingShape } from '../../parts/shapes'
import type { Column } from '../../parts/table/columns'
import { ListPage } from '../../parts/table/ListPage'
import { useWanted } from '../../parts/useLive'
import { common, list, vms as words } from '../../text/en'

const columns: Column<Vm>[] = [
  { key: 'name', label: words.name, width: 240, sort: 'name', cell: (vm) => vm.name },
  { key: 'status', label: common.status, width: 150, sort: 'status', cell: (vm) => <Status vm={vm} /> },
  {
    key: 'host',
    label: words.host,
    width: 130,
    sort: 'host',
    cell: (vm) => <HostLink host={vm.host} />,
  },
  {
    key: 'addresses',
    label: words.addresses,
    width: 160,
    from: 1000,
    cell: (vm) =>
      vm.addresses.length === 0 ? (
        common.dash
      ) : (
        <span title={vm.addresses.join(', ')}>{vm.addresses[0]}</span>
      ),
  },
  {
    key: 'vcpus',
    label: words.vcpus,
    width: 90,
    sort: 'vcpus',
    align: 'end',
    cell: (vm) => <span className="live-figure">{countText(vm.vcpus)}</span>,
  },
  {
    key: 'memory',
    label: words.memory,
    width: 120,
    sort: 'memory',
    align: 'end',
    from: 800,
    cell: (vm) => <span className="live-figure">{sizeText(vm.memory_bytes)}</span>,
  },
  { key: 'type', label: words.type, width: 90, optional: true, cell: (vm) => guestKind(vm.domain_type) },
  {
    key: 'autostart',
    label: words.autostart,
    width: 110,
    from: 1000,
    cell: (vm) => (vm.autostart ? common.yes : common.no),
  },
  {
    key: 'observed',
    label: words.observed,
    width: 130,
    optional: true,
    cell: (vm) => <AgoCell at={vm.observed_at} />,
  },
]

export function VmsPage() {
  const navigate = useNavigate()
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [menu, setMenu] = useState<{ id: string; anchor: HTMLElement } | undefined>(undefined)
  const select = useCallback((id: string, on: boolean) => setSelected((now) => withId(now, id, on)), [])
  const selectAll = useCallback(
    (on: boolean, ids: readonly string[]) => setSelected(on ? new Set(ids) : new Set()),
    [],
  )
  const openMenu = useCallback(
    (id: string, anchor: HTMLElement) => setMenu((now) => (now?.id === id ? undefined : { id, anchor })),
    [],
  )
  const closeMenu = useCallback(() => setMenu(undefined), [])
  const open = useCallback((id: string) => void navigate({ to: '/vms/$id', params: { id } }), [navigate])
  return (
    <PageFrame title={words.title} isFilled>
      <ListPage
        name="vms"
        columns={columns}
        label={nameOf}
        defaultSort="name"
        href={pathOf}
        onOpen={open}
        card={card}
        selected={selected}
        onSelect={select}
        onSelectAll={selectAll}
        onMenu={openMenu}
        menuId={menu?.id}
        empty={<NothingYet title={words.emptyTitle} body={words.emptyBody} command={words.emptyCommand} />}
      >
        <BulkBar selected={selected} onClear={() => setSelected(new Set())} />
      </ListPage>
      {menu !== undefined && <VmRowMenu id={menu.id} anchor={menu.anchor} onClose={closeMenu} />}
    </PageFrame>
  )
}

const nameOf = (vm: Vm) => vm.name
const pathOf = (id: string) => `/vms/${id}`

function card(vm: Vm) {
  return (
    <>
      <Status vm={vm} /> <Name most={20}>{vm.host.name}</Name>
    </>
  )
}

function Status({ vm }: { vm: Vm }) {
  const wish = useWanted(vm.id)
  return (
    <span>
      <VmStatusMark status={vm.status} wish={wish} host={vm.host.name} />
      {vm.pending_changes && <PendingBadge />}
    </span>
  )
}

/** A title rather than a tooltip component: rows have to be cheap. */
function PendingBadge() {
  return (
    <span title={list.pending} className="pending-badge">
      <svg className="shape shape-info" viewBox="0 0 16 16" role="img" aria-label={list.pending}>
        <path d={pendingShape} />
      </svg>
    </span>
  )
}

function withId(ids: ReadonlySet<string>, id: string, on: boolean): ReadonlySet<string> {
  const next = new Set(ids)
  if (on) next.add(id)
  else next.delete(id)
  return next
}
