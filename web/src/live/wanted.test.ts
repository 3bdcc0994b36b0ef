import { describe, expect, it, vi } from 'vitest'
import { actionRow, vmRow } from '../test/fleet'
import { countMoves } from './moves'
import { WantedStore } from './wanted'

describe('WantedStore', () => {
  it('ends with the status that fulfils it', () => {
    const wanted = new WantedStore()
    wanted.ask('vm-1', 'start', 0)
    wanted.accept('vm-1', actionRow())
    wanted.onVm(vmRow({ status: 'shutoff' }))
    expect(wanted.get('vm-1')?.action).toBe('start')
    wanted.onVm(vmRow({ status: 'running' }))
    expect(wanted.get('vm-1')).toBeUndefined()
  })

  it('is taken back with the news when its action fails', () => {
    const wanted = new WantedStore()
    const onFailure = vi.fn<() => void>()
    wanted.onFailure(onFailure)
    wanted.ask('vm-1', 'reboot', 0)
    wanted.accept('vm-1', actionRow())
    wanted.onAction(actionRow({ status: 'failed' }))
    expect(wanted.get('vm-1')).toBeUndefined()
    expect(onFailure).toHaveBeenCalledOnce()
  })

  it('knows an end that was told before the answer', () => {
    const wanted = new WantedStore()
    wanted.ask('vm-1', 'reboot', 0)
    wanted.onAction(actionRow({ status: 'succeeded' }))
    wanted.accept('vm-1', actionRow({ status: 'queued' }))
    expect(wanted.get('vm-1')).toBeUndefined()
  })

  it('leaves the wish alone when another action of the VM ends', () => {
    const wanted = new WantedStore()
    wanted.ask('vm-1', 'reboot', 0)
    wanted.accept('vm-1', actionRow({ id: 'mine' }))
    wanted.onAction(actionRow({ id: 'another', status: 'failed' }))
    expect(wanted.get('vm-1')).toBeDefined()
  })
})

describe('countMoves', () => {
  it.each([
    ['abc', 'abc', 0],
    ['abc', 'xabc', 1],
    ['abc', 'xab', 1],
    ['abc', 'bc', 1],
    ['abcd', 'dabc', 1],
    ['abcd', 'dcba', 3],
  ])('from %s to %s: %i', (now, next, moves) => {
    expect(countMoves(Array.from(now), Array.from(next))).toBe(moves)
  })
})
