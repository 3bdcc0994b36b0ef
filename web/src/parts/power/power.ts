/** Life-cycle requests from the interface: whether they may be asked, confirming, asking, taking back. */
import { problemOf } from '../../api/problem'
import { readVm, requestPower } from '../../api/queries'
import type { PowerAction, Vm } from '../../api/types'
import { collections, wanted } from '../../live/live'
import { powerText } from '../../text/en'
import { problemWords } from '../ProblemAlert'
import { makeStore } from '../store'
import { showToast } from '../toasts'

/** Why the action cannot be asked now; undefined when it can. The server decides, in each row's `actions`. */
export function whyNot(vm: Vm, action: PowerAction): string | undefined {
  const offered = vm.actions.find((one) => one.action === action)
  if (offered === undefined) return powerText.notOffered
  return offered.allowed ? undefined : (offered.reason ?? powerText.notOffered)
}

/** These interrupt what the guest serves, so they are confirmed. */
const interrupting: readonly PowerAction[] = ['reboot', 'force_off', 'reset', 'save']

export function needsConfirmation(action: PowerAction): boolean {
  return interrupting.includes(action)
}

export interface Confirmation {
  /** As it was when this was asked. */
  vm: Vm
  action: PowerAction
  /** What the person had seen, when the server has refused because the VM has changed since. */
  saw?: Vm
}

/** The confirmation that is open; its dialog stands in the shell. */
export const confirmation = makeStore<Confirmation | undefined>(undefined)

/** What a button does: asks, after a confirmation where the action interrupts. */
export function startPower(vm: Vm, action: PowerAction): void {
  if (whyNot(vm, action) !== undefined) return
  if (needsConfirmation(action)) confirmation.set({ vm, action })
  else void askPower(vm, action)
}

/** Asks and says by toast when it was refused; one whose VM has changed meanwhile is put to the person again. */
export async function askPower(vm: Vm, action: PowerAction): Promise<void> {
  try {
    await requestWanted(vm, action)
  } catch (error) {
    const now = await changedTo(vm.id, error)
    if (now !== undefined) {
      confirmation.set({ vm: now, action, saw: vm })
      return
    }
    const problem = problemOf(error)
    const { message, hint } = problemWords(problem)
    const title =
      problem.status === 0 ? powerText.failed(action, vm.name) : powerText.refused(action, vm.name)
    showToast({ variant: 'danger', title, body: message, hint })
  }
}

/**
 * Asks; the row shows the wanted state until libvirt confirms it or the server refuses.
 *
 * @throws ApiError when the server refuses
 */
export async function requestWanted(vm: Vm, action: PowerAction): Promise<void> {
  const gen = Math.max(collections.vms.get(vm.id)?.gen ?? 0, vm.gen)
  wanted.ask(vm.id, action, Date.now())
  try {
    const accepted = await requestPower(vm.id, action, gen)
    wanted.accept(vm.id, accepted.action)
  } catch (error) {
    wanted.takeBack(vm.id)
    throw error
  }
}

/** What the VM has become, when that is why the server refused. */
async function changedTo(id: string, error: unknown): Promise<Vm | undefined> {
  if (problemOf(error).code !== 'changed_meanwhile') return undefined
  return readVm(id).catch(() => undefined)
}
