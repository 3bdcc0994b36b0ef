import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from '@tanstack/react-router'
import { render, screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { formatSearchText, parseSearchText } from '../../parts/searchText'
import { actionRow } from '../../test/fleet'
import { parseStatesSearch } from './search'
import { StatesPage } from './StatesPage'

const planned = {
  format: 1,
  host: 'kvm-01',
  uri: 'qemu:///system',
  run: { mods: ['vm'] },
  consequence: 'downtime',
  hash: 'abc',
  states: [
    {
      key: 'virt_|-srv01_|-srv01_|-running',
      id: 'srv01',
      state: 'virt.running',
      result: null,
      comment: 'Domain srv01 updated',
      steps: [
        {
          summary: 'Update the definition of VM srv01: memory',
          consequence: 'next boot',
          diff: { before: '<memory>1</memory>\n', after: '<memory>2</memory>\n' },
        },
        { summary: 'Stop VM srv01', consequence: 'downtime', diff: null },
      ],
      pending: [],
      notes: [],
    },
  ],
}

interface Asked {
  path: string
  body: unknown
}

/** The page over a server that answers with `result` to the plan, and accepts its application. */
function open(
  path: string,
  options: { role?: string; result?: unknown; status?: string; asAsked?: string } = {},
) {
  const { role = 'administrator', result = planned, status = 'succeeded', asAsked = status } = options
  const plan = actionRow({ id: 'plan-1', status, kind: 'state.plan', vm_id: null, result })
  const before =
    asAsked === status ? plan : { ...plan, gen: plan.gen - 1, status: asAsked, result: undefined }
  const apply = actionRow({ id: 'apply-1', status: 'queued', kind: 'state.apply_plan', vm_id: null })
  const asked: Asked[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname } = new URL(request.url)
    const body: unknown = request.method === 'POST' ? await request.json() : undefined
    if (body !== undefined) asked.push({ path: pathname, body })
    const isApply = JSON.stringify(body ?? '').includes('state.apply_plan')
    const answers: Record<string, unknown> = {
      '/api/v1/session': { user: 'ann', role, expires_at: null },
      '/api/v1/runs': { jid: 'job-1', fun: '', target: '*', actions: [isApply ? apply : plan] },
      '/api/v1/runs/job-1': { jid: 'job-1', fun: 'state.plan', target: '*', actions: [before] },
      '/api/v1/actions/plan-1': plan,
      '/api/v1/actions/apply-1': apply,
    }
    return new Response(JSON.stringify(answers[pathname] ?? {}), {
      status: pathname in answers ? 200 : 404,
      headers: { 'content-type': 'application/json' },
    })
  })
  const root = createRootRoute()
  const states = createRoute({
    getParentRoute: () => root,
    path: '/states',
    validateSearch: parseStatesSearch,
    component: StatesPage,
  })
  const router = createRouter({
    routeTree: root.addChildren([states]),
    history: createMemoryHistory({ initialEntries: [path] }),
    parseSearch: parseSearchText,
    stringifySearch: formatSearchText,
  })
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  render(
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  )
  return { asked, router }
}

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the page of states', () => {
  it('shows a plan that was made before the page heard of it', async () => {
    open('/states?target=*&sls=vm&plan=job-1', { asAsked: 'accepted' })
    expect(await screen.findByText('Domain srv01 updated')).toBeInTheDocument()
  })

  it('asks for a plan, and keeps it in the address', async () => {
    const { asked, router } = open('/states')
    await userEvent.type(await screen.findByLabelText('State files'), 'vm, net')
    await userEvent.click(screen.getByRole('button', { name: 'Plan' }))
    expect(await screen.findByText('Domain srv01 updated')).toBeInTheDocument()
    expect(asked).toEqual([
      {
        path: '/api/v1/runs',
        body: { target: '*', target_kind: 'glob', fun: 'state.plan', kwargs: { mods: ['vm', 'net'] } },
      },
    ])
    expect(router.state.location.search).toEqual({ target: '*', sls: 'vm, net', plan: 'job-1' })
  })

  it('shows each step with what it means, and the definition before and after', async () => {
    open('/states?sls=vm&plan=job-1')
    const steps = await screen.findByRole('list', { name: 'Steps of srv01' })
    expect(within(steps).getByText('next boot')).toBeInTheDocument()
    expect(within(steps).getByText('downtime')).toBeInTheDocument()
    await userEvent.click(within(steps).getByRole('button', { name: 'Show the difference' }))
    expect(within(steps).getByText('+ <memory>2</memory>')).toBeInTheDocument()
  })

  it('applies that very plan, once the step that interrupts is agreed to', async () => {
    const { asked } = open('/states?sls=vm&plan=job-1')
    const apply = () => screen.findByRole('button', { name: 'Apply this plan to kvm-01' })
    await userEvent.click(await apply())
    expect(asked).toEqual([])
    await userEvent.click(screen.getByRole('checkbox', { name: /Stop VM srv01/ }))
    await userEvent.click(await apply())
    expect(await screen.findByRole('heading', { name: /Applied/ })).toBeInTheDocument()
    expect(asked[0]?.body).toMatchObject({
      target: 'kvm-01',
      target_kind: 'list',
      fun: 'state.apply_plan',
      kwargs: { plan: { hash: 'abc', host: 'kvm-01' } },
    })
  })

  it('tells every error of states that do not compile', async () => {
    open('/states?sls=vm&plan=job-1', {
      status: 'failed',
      result: ["No matching sls found for 'vm'", 'Another'],
    })
    expect(await screen.findByText('Another')).toBeInTheDocument()
    expect(screen.getByText(/The state files have 2 errors/)).toBeInTheDocument()
    expect(screen.queryByRole('button', { name: /^Apply/ })).not.toBeInTheDocument()
  })

  it('refuses those who may not run functions, and says why', async () => {
    const { asked } = open('/states', { role: 'operator' })
    const button = await screen.findByRole('button', { name: 'Plan' })
    await vi.waitFor(() => expect(button).toHaveAttribute('aria-disabled', 'true'))
    await userEvent.click(button)
    expect(asked).toEqual([])
  })
})
