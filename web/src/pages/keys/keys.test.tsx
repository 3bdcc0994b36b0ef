import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { KeysPage } from './KeysPage'

const key = (name: string, status: string) => ({
  fingerprint: `0a:${name}`,
  name,
  status,
  address: '192.0.2.7',
  seen_at: '2026-11-27T07:00:00Z',
  decided_at: null,
  decided_by: null,
})

/** The page over a server with these keys; what it was asked to change. */
function open(keys: unknown[], options: { role?: string; ca?: string | null } = {}): string[] {
  const { role = 'administrator', ca = '6e:74' } = options
  const asked: string[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname } = new URL(request.url)
    if (request.method !== 'GET') asked.push(`${request.method} ${decodeURIComponent(pathname)}`)
    const answers: Record<string, unknown> = {
      '/api/v1/session': { user: 'ann', role, expires_at: null },
      '/api/v1/keys': { ca, port: ca === null ? null : 4507, keys },
      '/api/v1/join_tokens': { token: 'secret-token', id: '1', expires_at: '2026-11-27T08:00:00Z' },
    }
    const status = request.method === 'DELETE' ? 204 : 200
    const body = status === 204 ? null : JSON.stringify(answers[pathname] ?? key('kvm1', 'accepted'))
    return new Response(body, { status, headers: { 'content-type': 'application/json' } })
  })
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  render(
    <QueryClientProvider client={queries}>
      <KeysPage />
    </QueryClientProvider>,
  )
  return asked
}

afterEach(() => vi.unstubAllGlobals())

describe('KeysPage', () => {
  it('accepts a key that waits at once', async () => {
    const asked = open([key('kvm1', 'unaccepted')])
    await userEvent.click(await screen.findByRole('button', { name: 'Accept kvm1' }))
    await waitFor(() => expect(asked).toEqual(['POST /api/v1/keys/0a:kvm1/accept']))
  })

  it('asks before it cuts an agent that works', async () => {
    const asked = open([key('kvm1', 'accepted')])
    expect(screen.queryByRole('button', { name: 'Accept kvm1' })).toBeNull()
    await userEvent.click(await screen.findByRole('button', { name: 'Delete the key of kvm1' }))
    const dialog = within(await screen.findByRole('dialog'))
    expect(asked).toEqual([])
    await userEvent.click(dialog.getByRole('button', { name: 'Delete' }))
    await waitFor(() => expect(asked).toEqual(['DELETE /api/v1/keys/0a:kvm1']))
  })

  it('offers nothing but deletion for a key whose name is taken', async () => {
    open([key('kvm1', 'denied')])
    const row = within(await screen.findByRole('row', { name: /kvm1/ }))
    expect(row.getAllByRole('button').map((button) => button.textContent)).toEqual(['Delete'])
  })

  it('shows a token in the command to join', async () => {
    const asked = open([])
    await userEvent.click(await screen.findByRole('button', { name: 'Make a token' }))
    expect(await screen.findByText(/localhost:4507 --token secret-token/)).toBeVisible()
    expect(asked).toEqual(['POST /api/v1/join_tokens'])
  })

  it('says how to listen to agents when the server does not', async () => {
    open([], { ca: null })
    expect(await screen.findByText(/salar serve --listen-agents/)).toBeVisible()
    expect(screen.queryByRole('button', { name: 'Make a token' })).toBeNull()
  })

  it('is for administrators', async () => {
    open([], { role: 'operator' })
    expect(await screen.findByText(/role administrator/)).toBeVisible()
  })
})
