import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Host } from '../../api/types'
import { RemoveHost } from './RemoveHost'

/** The button for a host in this state, for a user of this role; what the server was asked to change. */
function open(freshness: string, role = 'administrator', agentless = false): string[] {
  const asked: string[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname } = new URL(request.url)
    if (request.method !== 'GET') {
      asked.push(`${request.method} ${pathname}`)
      return new Response(null, { status: 204 })
    }
    const body = JSON.stringify({ user: 'ann', role, expires_at: null })
    return new Response(body, { status: 200, headers: { 'content-type': 'application/json' } })
  })
  const host = { id: 'h1', name: 'kvm1', freshness, agentless } as Host
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <RemoveHost host={host} />
      <p>drawn</p>
    </QueryClientProvider>,
  )
  return asked
}

afterEach(() => vi.unstubAllGlobals())

describe('RemoveHost', () => {
  it('asks before it removes a host that is gone', async () => {
    const asked = open('unreachable')
    await userEvent.click(await screen.findByRole('button', { name: 'Remove this host' }))
    const dialog = within(await screen.findByRole('dialog'))
    expect(asked).toEqual([])
    await userEvent.click(dialog.getByRole('button', { name: 'Remove' }))
    await waitFor(() => expect(asked).toEqual(['DELETE /api/v1/hosts/h1']))
  })

  it('is offered for a live host that has no agent', async () => {
    open('live', 'administrator', true)
    expect(await screen.findByRole('button', { name: 'Remove this host' })).toBeTruthy()
  })

  it.each([
    ['live', 'administrator'],
    ['libvirt_down', 'administrator'],
    ['unreachable', 'operator'],
  ])('is not offered for a host that is %s to an %s', async (freshness, role) => {
    open(freshness, role)
    await screen.findByText('drawn')
    await new Promise((done) => setTimeout(done, 50))
    expect(screen.queryByRole('button')).toBeNull()
  })
})
