/**
 * What people have asked of VMs and libvirt has not confirmed: shown at once, taken back when it is refused.
 *
 * The wish ends with the status that fulfils it, or with the end of its action, whichever comes first.
 */
import type { Action, PowerAction, Vm } from '../api/types'

export interface Wanted {
  action: PowerAction
  /** `Date.now()` when it was asked. */
  since: number
  /** Undefined until the server has answered. */
  actionId: string | undefined
}

/** Statuses that fulfil a request; a reboot shows in none. */
const fulfilledBy: Record<PowerAction, readonly string[]> = {
  start: ['running'],
  resume: ['running'],
  shutdown: ['shutoff', 'crashed'],
  force_off: ['shutoff', 'crashed'],
  pause: ['paused'],
  save: ['shutoff'],
  reboot: [],
  reset: [],
}

const finalStatuses = ['succeeded', 'failed', 'cancelled', 'unknown']

export function isFinal(status: string): boolean {
  return finalStatuses.includes(status)
}

/** How many ended actions are remembered for answers that come later than the news of their end. */
const memory = 200

export class WantedStore {
  private readonly wishes = new Map<string, Wanted>()
  private readonly listeners = new Map<string, Set<() => void>>()
  private readonly ended = new Map<string, Action>()
  private readonly failureListeners = new Set<(vmId: string, action: Action) => void>()

  get(vmId: string): Wanted | undefined {
    return this.wishes.get(vmId)
  }

  subscribe(vmId: string, listener: () => void): () => void {
    const set = this.listeners.get(vmId) ?? new Set()
    this.listeners.set(vmId, set)
    set.add(listener)
    return () => {
      set.delete(listener)
      if (set.size === 0) this.listeners.delete(vmId)
    }
  }

  /** Calls `listener` when an action asked here ends badly. */
  onFailure(listener: (vmId: string, action: Action) => void): () => void {
    this.failureListeners.add(listener)
    return () => this.failureListeners.delete(listener)
  }

  ask(vmId: string, action: PowerAction, now: number): void {
    this.set(vmId, { action, since: now, actionId: undefined })
  }

  /** The server has refused, or could not be reached. */
  takeBack(vmId: string): void {
    this.clear(vmId)
  }

  /** The server has accepted; `accepted` is what the wish now waits for. */
  accept(vmId: string, accepted: Action): void {
    const wish = this.wishes.get(vmId)
    if (wish === undefined) {
      // The status came before the answer. The end of the action may still be bad news.
      return
    }
    this.set(vmId, { ...wish, actionId: accepted.id })
    const ended = this.ended.get(accepted.id) ?? (isFinal(accepted.status) ? accepted : undefined)
    if (ended !== undefined) this.end(vmId, ended)
  }

  onVm(vm: Vm): void {
    const wish = this.wishes.get(vm.id)
    if (wish !== undefined && fulfilledBy[wish.action].includes(vm.status)) this.clear(vm.id)
  }

  onAction(action: Action): void {
    if (!isFinal(action.status)) return
    this.ended.set(action.id, action)
    for (const oldest of this.ended.keys()) {
      if (this.ended.size <= memory) break
      this.ended.delete(oldest)
    }
    const vmId = action.vm_id
    if (vmId != null && this.wishes.get(vmId)?.actionId === action.id) this.end(vmId, action)
  }

  private end(vmId: string, action: Action): void {
    this.clear(vmId)
    if (action.status === 'succeeded') return
    for (const listener of this.failureListeners) listener(vmId, action)
  }

  private set(vmId: string, wish: Wanted): void {
    this.wishes.set(vmId, wish)
    this.tell(vmId)
  }

  private clear(vmId: string): void {
    if (this.wishes.delete(vmId)) this.tell(vmId)
  }

  private tell(vmId: string): void {
    for (const listener of this.listeners.get(vmId) ?? []) listener()
  }
}
