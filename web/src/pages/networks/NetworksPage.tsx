/** `/networks`: every virtual network. */
import type { Network } from '../../api/types'
import { NothingYet } from '../../parts/EmptyList'
import { countText } from '../../parts/format'
import { HostLink } from '../../parts/HostLink'
import { Name } from '../../parts/Name'
import { PageFrame } from '../../parts/PageFrame'
import { StatusMark } from '../../parts/StatusMark'
import type { Column } from '../../parts/table/columns'
import { ListPage } from '../../parts/table/ListPage'
import { common, networks as words } from '../../text/en'

const columns: Column<Network>[] = [
  { key: 'name', label: words.name, width: 220, sort: 'name', cell: (network) => network.name },
  {
    key: 'status',
    label: common.status,
    width: 120,
    sort: 'status',
    cell: (network) => <StatusMark status={network.status} />,
  },
  {
    key: 'host',
    label: words.host,
    width: 150,
    sort: 'host',
    cell: (network) => <HostLink host={network.host} />,
  },
  { key: 'forward', label: words.forward, width: 100, cell: (network) => network.forward },
  { key: 'bridge', label: words.bridge, width: 110, from: 800, cell: (network) => network.bridge },
  {
    key: 'cidrs',
    label: words.cidrs,
    width: 200,
    cell: (network) => (
      <span title={network.cidrs.join(', ')}>{network.cidrs.join(', ') || common.dash}</span>
    ),
  },
  {
    key: 'dhcp',
    label: words.dhcp,
    width: 80,
    from: 800,
    cell: (network) => (network.dhcp ? common.yes : common.no),
  },
  {
    key: 'nics',
    label: words.nics,
    sort: 'nics',
    width: 110,
    align: 'end',
    cell: (network) => <span className="live-figure">{countText(network.nic_count)}</span>,
  },
  {
    key: 'autostart',
    label: words.autostart,
    width: 110,
    from: 1000,
    cell: (network) => (network.autostart ? common.yes : common.no),
  },
]

export function NetworksPage() {
  return (
    <PageFrame title={words.title} isFilled>
      <ListPage
        name="networks"
        columns={columns}
        label={(network) => network.name}
        defaultSort="name"
        card={(network) => (
          <>
            <StatusMark status={network.status} /> <Name most={20}>{network.host.name}</Name>
          </>
        )}
        empty={<NothingYet title={words.emptyTitle} body={words.emptyBody} command={words.emptyCommand} />}
      />
    </PageFrame>
  )
}
