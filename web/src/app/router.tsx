/** The pages and their addresses. Every page is loaded when it is first wanted. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router'
import { onSignedOut } from '../api/client'
import { sessionQuery } from '../api/queries'
import { parseListSearch } from '../parts/listSearch'
import { ErrorPage, NotFoundPage } from './ErrorPage'
import { queryClient } from './queryClient'
import { formatSearchText, parseSearchText } from '../parts/searchText'
import { Shell } from './Shell'

const root = createRootRoute({ notFoundComponent: NotFoundPage, errorComponent: ErrorPage })

const loginRoute = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (raw: Record<string, unknown>): { to?: string } =>
    typeof raw.to === 'string' ? { to: raw.to } : {},
  component: lazyRouteComponent(() => import('../pages/login/LoginPage'), 'LoginPage'),
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
  component: lazyRouteComponent(() => import('../pages/dashboard/DashboardPage'), 'DashboardPage'),
})

const vmsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/vms',
  validateSearch: parseListSearch,
  component: lazyRouteComponent(() => import('../pages/vms/VmsPage'), 'VmsPage'),
})

const vmRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/vms/$id',
  component: lazyRouteComponent(() => import('../pages/vms/VmPage'), 'VmPage'),
})

const vmOverviewRoute = createRoute({
  getParentRoute: () => vmRoute,
  path: '/',
  component: lazyRouteComponent(() => import('../pages/vms/VmOverview'), 'VmOverview'),
})

const vmConsoleRoute = createRoute({
  getParentRoute: () => vmRoute,
  path: 'console',
  component: lazyRouteComponent(() => import('../pages/vms/console/ConsoleTab'), 'ConsoleTab'),
})

const vmXmlRoute = createRoute({
  getParentRoute: () => vmRoute,
  path: 'xml',
  validateSearch: (raw: Record<string, unknown>): { which?: 'live' | 'persistent' } =>
    raw.which === 'live' || raw.which === 'persistent' ? { which: raw.which } : {},
  component: lazyRouteComponent(() => import('../pages/vms/XmlTab'), 'XmlTab'),
})

const hostsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/hosts',
  validateSearch: parseListSearch,
  component: lazyRouteComponent(() => import('../pages/hosts/HostsPage'), 'HostsPage'),
})

const storageRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/storage',
  validateSearch: parseListSearch,
  component: lazyRouteComponent(() => import('../pages/storage/StoragePage'), 'StoragePage'),
})

const networksRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/networks',
  validateSearch: parseListSearch,
  component: lazyRouteComponent(() => import('../pages/networks/NetworksPage'), 'NetworksPage'),
})

const tasksRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/tasks',
  validateSearch: parseListSearch,
  component: lazyRouteComponent(() => import('../pages/tasks/TasksPage'), 'TasksPage'),
})

const aboutRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/about',
  component: lazyRouteComponent(() => import('../pages/about/AboutPage'), 'AboutPage'),
})

const routeTree = root.addChildren([
  loginRoute,
  shellRoute.addChildren([
    dashboardRoute,
    vmsRoute,
    vmRoute.addChildren([vmOverviewRoute, vmConsoleRoute, vmXmlRoute]),
    hostsRoute,
    storageRoute,
    networksRoute,
    tasksRoute,
    aboutRoute,
  ]),
])

export const router = createRouter({
  routeTree,
  parseSearch: parseSearchText,
  stringifySearch: formatSearchText,
  defaultPreloadDelay: 50,
  defaultErrorComponent: ErrorPage,
})

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
