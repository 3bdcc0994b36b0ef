/** The name of a host, leading to its page. */
import type { Vm } from '../api/types'
import { AppLink } from './AppLink'
import { Name } from './Name'

export function HostLink({ host, most = 24 }: { host: Vm['host']; most?: number }) {
  return (
    <AppLink to={`/hosts/${host.id}`} className="row-link">
      <Name most={most}>{host.name}</Name>
    </AppLink>
  )
}
