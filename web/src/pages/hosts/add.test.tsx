import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { AddHost } from './AddHost'

vi.mock('@tanstack/react-router', () => ({ useNavigate: () => () => undefined }))

interface Asked {
  path: string
  body: unknown
}

/** The button for a user of this role, before a server with these answers; what it was asked. */
function open(role: string, answers: Record<string, [status: number, body: unknown]> = {}): Asked[] {
  const asked: Asked[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname } = new URL(request.url)
    const path = pathname.replace('/api/v1/', '')
    if (request.method !== 'GET') asked.push({ path, body: await request.json() })
    const session: [number, unknown] = [200, { user: 'ann', role, expires_at: null }]
    const [status, body] = answers[path] ?? session
    const headers = { 'content-type': 'application/json' }
    return new Response(JSON.stringify(body), { status, headers })
  })
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <AddHost />
      <p>drawn</p>
    </QueryClientProvider>,
  )
  return asked
}

async function fill(uri: string) {
  await userEvent.click(await screen.findByRole('button', { name: 'Add host' }))
  const dialog = within(await screen.findByRole('dialog'))
  await userEvent.type(dialog.getByLabelText('libvirt URI'), uri)
  return dialog
}

afterEach(() => vi.unstubAllGlobals())

describe('AddHost', () => {
  it('adds a host over ssh only after its keys were shown', async () => {
    const keys = [{ kind: 'ssh-ed25519', fingerprint: 'SHA256:abc' }]
    const asked = open('administrator', {
      host_keys: [200, { name: 'kvm2', ssh: true, keys, warning: null }],
      hosts: [201, { id: 'h2', name: 'kvm2' }],
    })
    const uri = 'qemu+ssh://root@kvm2/system'
    const dialog = await fill(uri)
    await userEvent.type(dialog.getByLabelText('Private key'), '/root/.ssh/id')
    await userEvent.click(dialog.getByRole('button', { name: 'Add host' }))
    expect(await dialog.findByText('SHA256:abc')).toBeTruthy()
    expect(asked).toEqual([{ path: 'host_keys', body: { uri } }])
    await userEvent.click(dialog.getByRole('button', { name: 'These are its keys' }))
    await waitFor(() =>
      expect(asked[1]).toEqual({
        path: 'hosts',
        body: { uri, key_file: '/root/.ssh/id', host_keys: ['SHA256:abc'] },
      }),
    )
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  })

  it('tells what is wrong at the field it is wrong in', async () => {
    const error = {
      code: 'bad_parameter',
      message: 'h2: this is no libvirt URI',
      field: 'uri',
      request_id: 'r1',
    }
    open('administrator', { host_keys: [400, { error }] })
    const dialog = await fill('h2')
    await userEvent.click(dialog.getByRole('button', { name: 'Add host' }))
    const field = dialog.getByLabelText('libvirt URI')
    await waitFor(() => expect(field.getAttribute('aria-invalid')).toBe('true'))
    const help = document.getElementById(field.getAttribute('aria-describedby') ?? '')
    expect(help?.textContent).toContain('this is no libvirt URI')
  })

  it('warns before a connection that nothing protects', async () => {
    const warning = 'Nothing is encrypted over TCP'
    const asked = open('administrator', {
      host_keys: [200, { name: 'kvm2', ssh: false, keys: [], warning }],
      hosts: [201, { id: 'h2', name: 'kvm2' }],
    })
    const dialog = await fill('qemu+tcp://kvm2/system')
    await userEvent.click(dialog.getByRole('button', { name: 'Add host' }))
    expect(await dialog.findByText(new RegExp(warning))).toBeTruthy()
    await userEvent.click(dialog.getByRole('button', { name: 'Add host' }))
    await waitFor(() => expect(asked.map(({ path }) => path)).toEqual(['host_keys', 'hosts']))
  })

  it('is for administrators only', async () => {
    open('operator')
    await screen.findByText('drawn')
    await new Promise((done) => setTimeout(done, 50))
    expect(screen.queryByRole('button')).toBeNull()
  })
})
