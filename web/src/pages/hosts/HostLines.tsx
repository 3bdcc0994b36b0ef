/** One line each of what is on a host. */
import { sizeText } from '../../parts/format'
import { AppLink } from '../../parts/AppLink'
import { Name } from '../../parts/Name'
import { PoolUse } from '../../parts/PoolUse'
import { StatusMark, VmStatusMark } from '../../parts/StatusMark'
import { useSeen, useWanted } from '../../parts/useLive'
import { common } from '../../text/en'

export function VmLine({ id }: { id: string }) {
  const vm = useSeen('vms', id)?.row
  const wish = useWanted(id)
  if (vm === undefined) return null
  return (
    <li>
      <AppLink to={`/vms/${vm.id}`} className="row-link">
        <Name most={30}>{vm.name}</Name>
      </AppLink>
      <VmStatusMark status={vm.status} wish={wish} host={vm.host.name} />
      <span className="live-figure lines-end">{sizeText(vm.memory_bytes)}</span>
    </li>
  )
}

export function PoolLine({ id }: { id: string }) {
  const pool = useSeen('pools', id)?.row
  if (pool === undefined) return null
  return (
    <li>
      <Name most={30}>{pool.name}</Name>
      <StatusMark status={pool.status} />
      <PoolUse pool={pool} />
    </li>
  )
}

export function NetworkLine({ id }: { id: string }) {
  const network = useSeen('networks', id)?.row
  if (network === undefined) return null
  return (
    <li>
      <Name most={30}>{network.name}</Name>
      <StatusMark status={network.status} />
      <span className="lines-end">{network.cidrs.join(', ') || common.dash}</span>
    </li>
  )
}
