/** The pages and their addresses. Every page is loaded when it is first wanted, or when there is time. */
import { createRootRoute, createRoute, createRouter, notFound, redirect } from '@tanstack/react-router'
import type { ComponentType } from 'react'
import { onSignedOut } from '../api/client'
import { sessionQuery } from '../api/queries'
import { forgetFailedParts, lazyPart } from '../parts/lazyPart'
import { parseListSearch } from '../parts/listSearch'
import { ErrorPage, NotFoundPage } from './ErrorPage'
import { queryClient } from './queryClient'
import { formatSearchText, parseSearchText } from '../parts/searchText'
import { parseStatesSearch } from '../pages/states/search'
import { Shell } from './Shell'

const pages: (() => Promise<void>)[] = []

/** A page of its own chunk. */
function page(load: () => Promise<ComponentType>) {
  const part = lazyPart(load)
  pages.push(part.preload)
  return part
}

/** Starts a load whose failure is of no matter: the part itself is going to say it. */
function ahead(load: () => Promise<void>): void {
  void load().catch(() => undefined)
}

/** Loads the code of all pages, so that going to one needs no answer from the server but its data. */
async function preloadPages(): Promise<void> {
  for (const preload of pages) await preload()
}

/** Anything else in the place of an id is a mistyped address; the server need not be asked. */
function requireId(id: string): void {
  if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)) throw notFound()
}

const root = createRootRoute({ notFoundComponent: NotFoundPage, errorComponent: ErrorPage })

const loginRoute = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (raw: Record<string, unknown>): { to?: string } =>
    typeof raw.to === 'string' ? { to: raw.to } : {},
  component: page(() => import('../pages/login/LoginPage').then((module) => module.LoginPage)),
})

/** Everything behind the sign-in. */
const shellRoute = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: async ({ location }) => {
    const session = await queryClient.ensureQueryData(sessionQuery)
    if (session === null) throw redirect({ to: '/login', search: { to: location.href }, replace: true })
  },
})

const dashboardRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/',
  component: page(() => import('../pages/dashboard/DashboardPage').then((module) => module.DashboardPage)),
})

const vmsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/vms',
  validateSearch: parseListSearch,
  component: page(() => import('../pages/vms/VmsPage').then((module) => module.VmsPage)),
})

const vmRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/vms/$id',
  beforeLoad: ({ params }) => requireId(params.id),
  notFoundComponent: NotFoundPage,
  component: page(() => import('../pages/vms/VmPage').then((module) => module.VmPage)),
})

const vmOverviewRoute = createRoute({
  getParentRoute: () => vmRoute,
  path: '/',
  component: page(() => import('../pages/vms/VmOverview').then((module) => module.VmOverview)),
})

const vmConsoleRoute = createRoute({
  getParentRoute: () => vmRoute,
  path: 'console',
  // Also run when the link is pointed at: the heavy part is then there before the click.
  loader: () =>
    ahead(() => import('../pages/vms/console/ConsoleTab').then((module) => module.Screen.preload())),
  component: page(() => import('../pages/vms/console/ConsoleTab').then((module) => module.ConsoleTab)),
})

const vmXmlRoute = createRoute({
  getParentRoute: () => vmRoute,
  path: 'xml',
  loader: () => ahead(() => import('../pages/vms/XmlTab').then((module) => module.XmlView.preload())),
  validateSearch: (raw: Record<string, unknown>): { which?: 'live' | 'persistent' } =>
    raw.which === 'live' || raw.which === 'persistent' ? { which: raw.which } : {},
  component: page(() => import('../pages/vms/XmlTab').then((module) => module.XmlTab)),
})

const hostsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/hosts',
  validateSearch: parseListSearch,
  component: page(() => import('../pages/hosts/HostsPage').then((module) => module.HostsPage)),
})

const storageRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/storage',
  validateSearch: parseListSearch,
  component: page(() => import('../pages/storage/StoragePage').then((module) => module.StoragePage)),
})

const networksRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/networks',
  validateSearch: parseListSearch,
  component: page(() => import('../pages/networks/NetworksPage').then((module) => module.NetworksPage)),
})

const tasksRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/tasks',
  validateSearch: parseListSearch,
  component: page(() => import('../pages/tasks/TasksPage').then((module) => module.TasksPage)),
})

const statesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/states',
  validateSearch: parseStatesSearch,
  component: page(() => import('../pages/states/StatesPage').then((module) => module.StatesPage)),
})

const hostRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/hosts/$id',
  beforeLoad: ({ params }) => requireId(params.id),
  notFoundComponent: NotFoundPage,
  component: page(() => import('../pages/hosts/HostPage').then((module) => module.HostPage)),
})

/** Within the shell, so that the way on stands beside it. */
const nowhereRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '$',
  component: NotFoundPage,
})

const keysRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/keys',
  component: page(() => import('../pages/keys/KeysPage').then((module) => module.KeysPage)),
})

const aboutRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/about',
  component: page(() => import('../pages/about/AboutPage').then((module) => module.AboutPage)),
})

const routeTree = root.addChildren([
  loginRoute,
  shellRoute.addChildren([
    dashboardRoute,
    vmsRoute,
    vmRoute.addChildren([vmOverviewRoute, vmConsoleRoute, vmXmlRoute]),
    hostsRoute,
    hostRoute,
    storageRoute,
    networksRoute,
    statesRoute,
    tasksRoute,
    keysRoute,
    aboutRoute,
    nowhereRoute,
  ]),
])

export const router = createRouter({
  routeTree,
  parseSearch: parseSearchText,
  stringifySearch: formatSearchText,
  defaultPreloadDelay: 50,
  defaultErrorComponent: ErrorPage,
})

router.subscribe('onBeforeNavigate', forgetFailedParts)
const stopWaiting = router.subscribe('onResolved', () => {
  stopWaiting()
  whenIdle(() => void preloadPages())
})

/** Safari has no idle callbacks. */
function whenIdle(run: () => void): void {
  if ('requestIdleCallback' in window) window.requestIdleCallback(run, { timeout: 5_000 })
  else setTimeout(run, 2_000)
}

// The session has ended, here or in another tab: sign in, and come back to this page.
onSignedOut(() => {
  const { pathname, href } = router.state.location
  if (pathname === '/login') return
  queryClient.setQueryData(sessionQuery.queryKey, null)
  void router.navigate({ to: '/login', search: { to: href } })
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
