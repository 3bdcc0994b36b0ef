import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from '@tanstack/react-router'
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { formatSearchText, parseSearchText } from '../../parts/searchText'
import { LoginPage } from './LoginPage'

function open(path: string, status: number, body: unknown) {
  const requests: Request[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    requests.push(request)
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
  })
  const root = createRootRoute()
  const login = createRoute({ getParentRoute: () => root, path: '/login', component: LoginPage })
  const vms = createRoute({ getParentRoute: () => root, path: '/vms', component: () => <h1>the list</h1> })
  const router = createRouter({
    routeTree: root.addChildren([login, vms]),
    history: createMemoryHistory({ initialEntries: [path] }),
    parseSearch: parseSearchText,
    stringifySearch: formatSearchText,
  })
  render(
    <QueryClientProvider client={new QueryClient()}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  )
  return { requests, router }
}

async function enter(user: string, password: string) {
  if (user !== '') await userEvent.type(await screen.findByLabelText('User name'), user)
  if (password !== '') await userEvent.type(screen.getByLabelText('Password'), password)
  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))
}

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('sign-in', () => {
  it('leads to the page that was asked for', async () => {
    const session = { user: 'admin', role: 'administrator', expires_at: null }
    const { requests, router } = open('/login?to=/vms?status=running', 200, session)
    await enter('admin', 'right')
    expect(await screen.findByRole('heading', { name: 'the list' })).toBeInTheDocument()
    expect(router.state.location.href).toBe('/vms?status=running')
    expect(await requests[0]?.json()).toEqual({ user: 'admin', password: 'right' })
  })

  it('says one thing for an unknown user and a wrong password, and keeps the name', async () => {
    open('/login', 401, { error: { code: 'wrong_credentials', message: 'No', request_id: 'r1' } })
    await enter('admin', 'wrong')
    expect(await screen.findByRole('alert')).toHaveTextContent('Wrong user name or password')
    expect(screen.getByLabelText('User name')).toHaveValue('admin')
    expect(screen.getByLabelText('Password')).toHaveValue('')
    expect(screen.getByLabelText('Password')).toHaveFocus()
  })

  it('says what the server says when it slows down', async () => {
    const error = {
      code: 'slow_down',
      message: 'Too many wrong tries',
      hint: 'Wait a moment',
      request_id: 'r1',
    }
    open('/login', 429, { error })
    await enter('admin', 'wrong')
    expect(await screen.findByRole('alert')).toHaveTextContent(/Too many wrong tries.*Wait a moment/)
  })

  it('asks for what is missing at the field', async () => {
    const { requests } = open('/login', 200, {})
    await screen.findByLabelText('User name')
    await enter('', 'x')
    expect(screen.getByLabelText('User name')).toHaveAccessibleDescription(/Enter the user name/)
    expect(screen.getByLabelText('User name')).toHaveFocus()
    expect(requests).toHaveLength(0)
  })
})
