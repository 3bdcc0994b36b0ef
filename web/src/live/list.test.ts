import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ListQuery, Vm, Window } from '../api/types'
import { readVm, vmChange, vmGone, vmRow } from '../test/fleet'
import { Collection } from './collection'
import { LiveList } from './list'

/** A server with these VMs, in the order of their names. */
class Server {
  vms: Vm[]
  rev = 1
  epoch = 'e1'
  requests = 0
  fails = false

  constructor(count: number) {
    this.vms = Array.from({ length: count }, (_, index) => this.make(index))
  }

  make(index: number): Vm {
    return vmRow({ id: `vm-${index}`, name: `srv${String(index).padStart(5, '0')}` })
  }

  get revision(): string {
    return `${this.epoch}-${this.rev}`
  }

  fetch = async (query: ListQuery & { offset: number; limit: number }): Promise<Window<Vm>> => {
    this.requests += 1
    if (this.fails) throw new TypeError('no answer')
    const rows = this.vms
      .filter((vm) => query.status === undefined || query.status.split(',').includes(vm.status))
      .sort((one, other) => one.name.localeCompare(other.name))
    const { offset, limit } = query
    return {
      items: rows.slice(offset, offset + limit),
      total: rows.length,
      offset,
      revision: this.revision,
      facets: [],
    }
  }
}

function setUp(count: number, query: ListQuery = { sort: 'name' }) {
  const server = new Server(count)
  const vms = new Collection<Vm>((run) => run())
  const list = new LiveList<Vm>({
    collection: vms,
    fetch: server.fetch,
    place: (vm) => `${vm.name}|${vm.status}`,
    matches: (vm, { status }) => status === undefined || status.split(',').includes(vm.status),
  })
  const stop = list.start()
  list.setQuery(query)
  const names = (most = 5) =>
    Array.from({ length: Math.min(most, list.snapshot().total) }, (_, index) => {
      const id = list.snapshot().idAt(index)
      return id === undefined ? undefined : vms.see(id)?.row.name
    })
  const change = (vm: Vm) => {
    server.rev += 1
    server.vms = [...server.vms.filter((one) => one.id !== vm.id), vm]
    vms.take([vmChange(vm)], server.revision, readVm)
  }
  return { server, vms, list, names, change, stop }
}

const settle = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('LiveList', () => {
  it('loads only the windows near the screen', async () => {
    const { server, list } = setUp(10_000)
    await settle()
    expect(server.requests).toBe(1)
    list.setRange(1000, 1020)
    await settle()
    expect(server.requests).toBe(1 + 3)
    expect(list.snapshot().idAt(1010)).toBe('vm-1010')
    expect(list.snapshot().idAt(10)).toBeUndefined()
  })

  it('shows a new row well within a tenth of a second', async () => {
    const { server, list, names, change } = setUp(3)
    await settle()
    await vi.advanceTimersByTimeAsync(1000)
    change(vmRow({ id: 'new', gen: 1, name: 'a-new-one' }))
    await vi.advanceTimersByTimeAsync(50)
    expect(names()[0]).toBe('a-new-one')
    expect(list.snapshot().total).toBe(4)
    expect(server.requests).toBe(2)
  })

  it('does not move the row that the pointer is at, and says what waits', async () => {
    const { list, names, change } = setUp(3)
    await settle()
    list.setAnchors(['vm-2'])
    await vi.advanceTimersByTimeAsync(1000)
    change(vmRow({ id: 'new', gen: 1, name: 'a-new-one' }))
    await vi.advanceTimersByTimeAsync(1000)
    expect(names()[0]).toBe('srv00000')
    expect(list.snapshot().moved).toBe(1)
    list.refreshOrder()
    expect(names()[0]).toBe('a-new-one')
    expect(list.snapshot().moved).toBe(0)
  })

  it('swaps by itself a moment after the pointer has left', async () => {
    const { list, names, change } = setUp(3)
    await settle()
    list.setAnchors(['vm-2'])
    await vi.advanceTimersByTimeAsync(1000)
    change(vmRow({ id: 'new', gen: 1, name: 'a-new-one' }))
    await vi.advanceTimersByTimeAsync(1000)
    list.setAnchors([])
    expect(names()[0]).toBe('srv00000')
    await vi.advanceTimersByTimeAsync(2000)
    expect(names()[0]).toBe('a-new-one')
  })

  it('swaps at once what does not move the row that the pointer is at', async () => {
    const { list, names, change } = setUp(3)
    await settle()
    list.setAnchors(['vm-0'])
    await vi.advanceTimersByTimeAsync(1000)
    change(vmRow({ id: 'new', gen: 1, name: 'z-last' }))
    await vi.advanceTimersByTimeAsync(50)
    expect(names().at(-1)).toBe('z-last')
  })

  it('moves nothing while rows are selected, but loads what scrolling asks for', async () => {
    const { list, change } = setUp(1000)
    await settle()
    list.setFrozen(true)
    await vi.advanceTimersByTimeAsync(1000)
    change(vmRow({ id: 'new', gen: 1, name: 'a-new-one' }))
    await vi.advanceTimersByTimeAsync(1000)
    expect(list.snapshot().idAt(0)).toBe('vm-0')
    list.setRange(600, 620)
    await settle()
    expect(list.snapshot().idAt(610)).toBeDefined()
    expect(list.snapshot().moved).toBeGreaterThan(0)
  })

  it('asks again at most every five seconds when rows only change their place', async () => {
    const { server, change } = setUp(3)
    await settle()
    await vi.advanceTimersByTimeAsync(6000)
    const before = server.requests
    for (let gen = 2; gen < 42; gen += 1) {
      change(vmRow({ id: 'vm-1', gen, name: `srv0000${gen % 3}` }))
      await vi.advanceTimersByTimeAsync(250)
    }
    expect(server.requests - before).toBeLessThanOrEqual(3)
  })

  it('drops a row that does not match any more', async () => {
    const { list, change } = setUp(3, { sort: 'name', status: 'running' })
    await settle()
    await vi.advanceTimersByTimeAsync(1000)
    change(vmRow({ id: 'vm-1', gen: 2, name: 'srv00001', status: 'shutoff' }))
    await vi.advanceTimersByTimeAsync(50)
    expect(list.snapshot().total).toBe(2)
  })

  it('keeps its rows while it loads again after a reset, then swaps', async () => {
    const { server, vms, list, names } = setUp(3)
    await settle()
    server.epoch = 'e2'
    server.rev = 1
    server.vms = [vmRow({ id: 'other', gen: 1, name: 'restored' })]
    vms.gap('e2-1', true)
    expect(names()).toHaveLength(3)
    await settle()
    expect(names()).toEqual(['restored'])
    expect(list.snapshot().total).toBe(1)
  })

  it('loads again when the stream starts after what it has, and not otherwise', async () => {
    const { server, vms } = setUp(3)
    await settle()
    vms.gap('e1-1', false)
    await settle()
    expect(server.requests).toBe(1)
    server.rev = 9
    vms.gap('e1-9', false)
    await settle()
    expect(server.requests).toBe(2)
  })

  it('shows the old rows until those of another query are there', async () => {
    const { list, names } = setUp(3)
    await settle()
    list.setQuery({ sort: 'name', status: 'crashed' })
    expect(list.snapshot().isStale).toBe(true)
    expect(names()).toHaveLength(3)
    await settle()
    expect(list.snapshot()).toMatchObject({ isStale: false, total: 0 })
  })

  it('marks a deleted row at once', async () => {
    const { server, vms, list } = setUp(3)
    await settle()
    list.setAnchors(['vm-2'])
    server.rev += 1
    server.vms = server.vms.filter((vm) => vm.id !== 'vm-0')
    vms.take([vmGone('vm-0', 2)], server.revision, readVm)
    expect(vms.see('vm-0')?.gone).toBe(true)
  })

  it('says that it failed and tries again', async () => {
    const { server, list } = setUp(3)
    server.fails = true
    list.setQuery({ sort: '-name' })
    await settle()
    expect(list.snapshot().error).toBeInstanceOf(TypeError)
    server.fails = false
    await vi.advanceTimersByTimeAsync(10_000)
    expect(list.snapshot()).toMatchObject({ error: undefined, total: 3 })
  })

  it('lets go of everything when it stops', async () => {
    const { vms, stop } = setUp(3)
    await settle()
    expect(vms.see('vm-0')).toBeDefined()
    stop()
    expect(vms.see('vm-0')).toBeUndefined()
  })
})
