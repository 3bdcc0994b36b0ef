/** How full a pool is: bar and figures. */
import type { Pool } from '../api/types'
import { pools as words } from '../text/en'
import { percentText, sizeText } from './format'
import { Meter } from './Meter'

export function PoolUse({ pool }: { pool: Pool }) {
  if (pool.capacity_bytes === 0) return <span className="quiet">{words.inactive}</span>
  const percent = percentText(pool.allocation_bytes, pool.capacity_bytes)
  return (
    <span className="used">
      <Meter label={words.meter(pool.name, percent)} used={pool.allocation_bytes} all={pool.capacity_bytes} />
      <span className="live-figure">
        {words.usedOf(sizeText(pool.allocation_bytes), sizeText(pool.capacity_bytes))}
      </span>
    </span>
  )
}
