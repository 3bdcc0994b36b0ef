/** Objects for tests. */
import type { Action, ChangedObject, Vm } from '../api/types'

export function vmRow(change: Partial<Vm> = {}): Vm {
  return {
    id: 'vm-1',
    gen: 1,
    name: 'srv01',
    host: { id: 'host-1', name: 'kvm-01', freshness: 'live' },
    status: 'running',
    status_reason: 'booted',
    domain_type: 'kvm',
    vcpus: 2,
    vcpus_max: 4,
    memory_bytes: 2 ** 30,
    memory_max_bytes: 2 ** 31,
    autostart: false,
    persistent: true,
    has_managed_save: false,
    pending_changes: false,
    addresses: [],
    observed_at: '2026-11-22T10:00:00Z',
    actions: [
      { action: 'start', allowed: false, reason: 'The VM is already running' },
      { action: 'shutdown', allowed: true },
      { action: 'reboot', allowed: true },
      { action: 'force_off', allowed: true },
      { action: 'reset', allowed: true },
      { action: 'pause', allowed: true },
      { action: 'resume', allowed: false, reason: 'The VM is not paused' },
    ],
    ...change,
  }
}

export function actionRow(change: Partial<Action> = {}): Action {
  return {
    id: 'action-1',
    gen: 1,
    jid: 'job-1',
    status: 'queued',
    kind: 'vm.start',
    summary: 'Start srv01',
    host_id: 'host-1',
    host: 'kvm-01',
    vm_id: 'vm-1',
    user: 'admin',
    created_at: '2026-11-22T10:00:00Z',
    result: null,
    ...change,
  }
}

export function vmChange(vm: Vm): ChangedObject {
  return { id: vm.id, gen: vm.gen, collection: 'vms', row: vm }
}

export function vmGone(id: string, gen: number): ChangedObject {
  return { id, gen, collection: 'vms', row: null }
}

export function readVm(object: ChangedObject): Vm | undefined {
  return object.collection === 'vms' ? (object.row ?? undefined) : undefined
}

/** A generator of numbers from 0 to 1 that gives the same ones for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const left = [...items]
  const out: Item[] = []
  while (left.length > 0) out.push(...left.splice(Math.floor(random() * left.length), 1))
  return out
}
