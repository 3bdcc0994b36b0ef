/** What a bulk action would do: who can, who cannot and why. */
import type { PowerAction, Vm } from '../../api/types'
import { whyNot } from './power'

export interface BulkPlan {
  can: Vm[]
  /** Reasons with the names of those they hold for, most frequent first. */
  cannot: { reason: string; names: string[] }[]
  cannotCount: number
}

export function planBulk(vms: readonly Vm[], action: PowerAction): BulkPlan {
  const can: Vm[] = []
  const byReason = new Map<string, string[]>()
  for (const vm of vms) {
    const reason = whyNot(vm, action)
    if (reason === undefined) can.push(vm)
    else byReason.set(reason, [...(byReason.get(reason) ?? []), vm.name])
  }
  const cannot = [...byReason].map(([reason, names]) => ({ reason, names }))
  cannot.sort((one, other) => other.names.length - one.names.length)
  return { can, cannot, cannotCount: vms.length - can.length }
}

export interface BulkResult {
  vm: Vm
  /** Undefined when it was accepted. */
  error: unknown
}

/** Calls `ask` for each, at most `lanes` at a time; `onDone` after each with the results so far. */
export async function runBulk(
  vms: readonly Vm[],
  ask: (vm: Vm) => Promise<void>,
  onDone: (results: readonly BulkResult[]) => void,
  lanes = 6,
): Promise<void> {
  const results: BulkResult[] = []
  const waiting = [...vms]
  const work = async () => {
    for (let vm = waiting.shift(); vm !== undefined; vm = waiting.shift()) {
      let error: unknown
      try {
        await ask(vm)
      } catch (thrown) {
        error = thrown
      }
      results.push({ vm, error })
      onDone([...results])
    }
  }
  await Promise.all(Array.from({ length: Math.min(lanes, vms.length) }, work))
}
