import { describe, expect, it, vi } from 'vitest'
import type { Vm } from '../api/types'
import { readVm, seeded, shuffled, vmChange, vmGone, vmRow } from '../test/fleet'
import { Collection } from './collection'

const at = (rev: number, epoch = 'e1') => ({ epoch, rev })

function holding(...ids: string[]) {
  const frames: (() => void)[] = []
  const vms = new Collection<Vm>((run) => frames.push(run))
  for (const id of ids) vms.hold(id)
  const frame = () => frames.splice(0).forEach((run) => run())
  return { vms, frame }
}

describe('Collection', () => {
  it('keeps the row of the higher gen', () => {
    const { vms } = holding('vm-1')
    vms.put([vmRow({ gen: 3, status: 'running' })], at(10))
    vms.take([vmChange(vmRow({ gen: 2, status: 'shutoff' }))], 'e1-9', readVm)
    expect(vms.get('vm-1')?.status).toBe('running')
    vms.take([vmChange(vmRow({ gen: 4, status: 'paused' }))], 'e1-11', readVm)
    expect(vms.get('vm-1')?.status).toBe('paused')
  })

  it('ignores a loaded row that is older than an event', () => {
    const { vms } = holding('vm-1')
    vms.take([vmChange(vmRow({ gen: 5, status: 'paused' }))], 'e1-20', readVm)
    vms.put([vmRow({ gen: 4, status: 'running' })], at(15))
    expect(vms.get('vm-1')?.status).toBe('paused')
  })

  it('takes what another epoch says, however low its gen', () => {
    const { vms } = holding('vm-1')
    vms.put([vmRow({ gen: 40, status: 'running' })], at(900))
    vms.put([vmRow({ gen: 2, status: 'shutoff' })], at(3, 'e2'))
    expect(vms.get('vm-1')?.status).toBe('shutoff')
  })

  it('remembers events that come while a window is being loaded', () => {
    const { vms } = holding()
    const end = vms.beginLoad()
    vms.take([vmChange(vmRow({ gen: 7, status: 'crashed' }))], 'e1-7', readVm)
    vms.hold('vm-1')
    vms.put([vmRow({ gen: 6, status: 'running' })], at(6))
    end()
    expect(vms.get('vm-1')?.status).toBe('crashed')
  })

  it('keeps the last row of an object that is gone, and knows it when it is back', () => {
    const { vms } = holding('vm-1')
    vms.put([vmRow({ gen: 3 })], at(3))
    vms.take([vmGone('vm-1', 4)], 'e1-4', readVm)
    expect(vms.get('vm-1')).toBeUndefined()
    expect(vms.see('vm-1')).toMatchObject({ gone: true, row: { name: 'srv01' } })
    vms.put([vmRow({ gen: 3 })], at(3))
    expect(vms.get('vm-1')).toBeUndefined()
    vms.take([vmChange(vmRow({ gen: 1, status: 'shutoff' }))], 'e1-5', readVm)
    expect(vms.get('vm-1')?.status).toBe('shutoff')
  })

  it('tells of a status at once and of anything else with the next frame', () => {
    const { vms, frame } = holding()
    const listener = vi.fn<() => void>()
    vms.subscribe('vm-1', listener)
    vms.put([vmRow({ gen: 1 })], at(1))
    listener.mockClear()
    vms.take([vmChange(vmRow({ gen: 2, memory_bytes: 5 }))], 'e1-2', readVm)
    vms.take([vmChange(vmRow({ gen: 3, memory_bytes: 6 }))], 'e1-3', readVm)
    expect(listener).not.toHaveBeenCalled()
    frame()
    expect(listener).toHaveBeenCalledTimes(1)
    vms.take([vmChange(vmRow({ gen: 4, status: 'paused' }))], 'e1-4', readVm)
    expect(listener).toHaveBeenCalledTimes(2)
  })

  it('lets go of rows that nobody holds', () => {
    const { vms } = holding('vm-1')
    vms.put([vmRow()], at(1))
    vms.release('vm-1')
    expect(vms.see('vm-1')).toBeUndefined()
  })

  it('ends in the same state whatever the order of events and answers', () => {
    const statuses = ['running', 'paused', 'shutoff', 'crashed']
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = seeded(seed)
      const gens = 3 + Math.floor(random() * 10)
      const rows = Array.from({ length: gens }, (_, index) =>
        vmRow({ gen: index + 1, status: statuses[Math.floor(random() * statuses.length)] ?? 'running' }),
      )
      const endsGone = random() < 0.3
      const { vms } = holding('vm-1')
      const steps = rows.map((row) =>
        random() < 0.5
          ? () => vms.take([vmChange(row)], `e1-${row.gen}`, readVm)
          : () => vms.put([row], at(row.gen)),
      )
      if (endsGone) steps.push(() => vms.take([vmGone('vm-1', gens + 1)], `e1-${gens + 1}`, readVm))
      // Each may also come twice.
      for (const step of shuffled([...steps, ...steps], random)) step()
      expect(vms.get('vm-1')?.status, `seed ${seed}`).toBe(endsGone ? undefined : rows.at(-1)?.status)
    }
  })
})
