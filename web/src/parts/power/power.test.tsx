import { render, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { vmRow } from '../../test/fleet'
import { AnchoredMenu } from '../AnchoredMenu'
import { planBulk, runBulk, type BulkResult } from './bulkPlan'
import { confirmation, startPower, whyNot } from './power'
import { PowerConfirm } from './PowerConfirm'
import { PowerItems } from './PowerItems'

const accepted = { action: { id: 'action-1', status: 'queued', vm_id: 'vm-1', summary: 'Force off srv01' } }

function serve(status: number, body: unknown) {
  const requests: Request[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    requests.push(request)
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
  })
  return requests
}

afterEach(() => {
  vi.unstubAllGlobals()
  confirmation.set(undefined)
})

describe('whyNot', () => {
  it('gives the reason of the server', () => {
    expect(whyNot(vmRow(), 'start')).toBe('The VM is already running')
    expect(whyNot(vmRow(), 'shutdown')).toBeUndefined()
    expect(whyNot(vmRow({ actions: [] }), 'start')).toMatch(/not offered/i)
  })
})

describe('the menu of a VM', () => {
  it('keeps refused actions with their reason, and does nothing for them', async () => {
    const requests = serve(202, accepted)
    const anchor = document.createElement('button')
    render(
      <AnchoredMenu anchor={anchor} label="Actions on srv01" onClose={() => undefined}>
        <PowerItems vm={vmRow()} />
      </AnchoredMenu>,
    )
    const menu = screen.getByRole('menu', { name: 'Actions on srv01' })
    const start = within(menu).getByRole('menuitem', { name: /^Start/ })
    expect(start).toHaveAttribute('aria-disabled', 'true')
    expect(start).toHaveTextContent('The VM is already running')
    await userEvent.click(start)
    expect(requests).toHaveLength(0)
  })
})

describe('an action that interrupts', () => {
  it('is confirmed by name, with the focus on Cancel, and sent with key, guard and gen', async () => {
    const requests = serve(202, accepted)
    render(<PowerConfirm />)
    startPower(vmRow({ gen: 7 }), 'force_off')
    const dialog = await screen.findByRole('dialog', { name: /Force off srv01\?/ })
    expect(dialog).toHaveAccessibleDescription(/Power is cut at once/)
    expect(within(dialog).getByRole('button', { name: 'Cancel' })).toHaveFocus()
    await userEvent.click(within(dialog).getByRole('button', { name: 'Force off' }))
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
    expect(requests[0]?.url).toContain('/api/v1/vms/vm-1/force_off')
    expect(requests[0]?.headers.get('X-Salar-Request')).toBe('1')
    expect(requests[0]?.headers.get('Idempotency-Key')).toMatch(/^[0-9a-f]{32}$/)
    expect(await requests[0]?.json()).toEqual({ gen: 7 })
  })

  it('is not sent when it is cancelled', async () => {
    const requests = serve(202, accepted)
    render(<PowerConfirm />)
    startPower(vmRow(), 'reset')
    await userEvent.click(await screen.findByRole('button', { name: 'Cancel' }))
    expect(requests).toHaveLength(0)
  })
})

describe('a bulk action', () => {
  it('says who can, and who cannot and why', () => {
    const off = vmRow({
      id: 'b',
      name: 'off',
      actions: [{ action: 'shutdown', allowed: false, reason: 'Not running' }],
    })
    const plan = planBulk([vmRow({ id: 'a' }), off, { ...off, id: 'c', name: 'off2' }], 'shutdown')
    expect(plan.can.map((vm) => vm.id)).toEqual(['a'])
    expect(plan.cannot).toEqual([{ reason: 'Not running', names: ['off', 'off2'] }])
  })

  it('has a result for each, and a few at a time', async () => {
    const vms = Array.from({ length: 20 }, (_, index) => vmRow({ id: `vm-${index}` }))
    let now = 0
    let most = 0
    let last: readonly BulkResult[] = []
    const ask = async (vm: { id: string }) => {
      now += 1
      most = Math.max(most, now)
      await Promise.resolve()
      now -= 1
      if (vm.id === 'vm-3') throw new Error('no')
    }
    await runBulk(vms, ask, (results) => {
      last = results
    })
    expect(last).toHaveLength(20)
    expect(last.filter((result) => result.error !== undefined).map((result) => result.vm.id)).toEqual([
      'vm-3',
    ])
    expect(most).toBeLessThanOrEqual(6)
  })
})
