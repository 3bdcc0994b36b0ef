/** `/storage`: every storage pool. */
import type { Pool } from '../../api/types'
import { NothingYet } from '../../parts/EmptyList'
import { countText } from '../../parts/format'
import { HostLink } from '../../parts/HostLink'
import { Name } from '../../parts/Name'
import { PageFrame } from '../../parts/PageFrame'
import { PoolUse } from '../../parts/PoolUse'
import { StatusMark } from '../../parts/StatusMark'
import type { Column } from '../../parts/table/columns'
import { ListPage } from '../../parts/table/ListPage'
import { common, pools as words } from '../../text/en'

const columns: Column<Pool>[] = [
  { key: 'name', label: words.name, width: 180, sort: 'name', cell: (pool) => pool.name },
  {
    key: 'status',
    label: common.status,
    width: 120,
    sort: 'status',
    cell: (pool) => <StatusMark status={pool.status} />,
  },
  {
    key: 'host',
    label: words.host,
    width: 130,
    sort: 'host',
    cell: (pool) => <HostLink host={pool.host} />,
  },
  { key: 'kind', label: words.kind, width: 100, cell: (pool) => pool.kind },
  { key: 'used', label: words.used, sort: 'capacity', width: 270, cell: (pool) => <PoolUse pool={pool} /> },
  {
    key: 'volumes',
    label: words.volumes,
    width: 100,
    align: 'end',
    from: 800,
    cell: (pool) => <span className="live-figure">{countText(pool.volume_count)}</span>,
  },
  {
    key: 'autostart',
    label: words.autostart,
    width: 110,
    from: 1000,
    cell: (pool) => (pool.autostart ? common.yes : common.no),
  },
  {
    key: 'target',
    label: words.target,
    width: 220,
    from: 1000,
    cell: (pool) => <span title={pool.target}>{pool.target}</span>,
  },
]

export function StoragePage() {
  return (
    <PageFrame title={words.title} isFilled>
      <ListPage
        name="pools"
        columns={columns}
        label={(pool) => pool.name}
        defaultSort="name"
        card={(pool) => (
          <>
            <StatusMark status={pool.status} /> <Name most={20}>{pool.host.name}</Name>
          </>
        )}
        empty={<NothingYet title={words.emptyTitle} body={words.emptyBody} command={words.emptyCommand} />}
      />
    </PageFrame>
  )
}
