/** The pages that exist, in the groups of the navigation. */
import { nav, shortcuts } from '../text/en'

export interface Place {
  label: string
  path: string
  /** Second key after `g`. */
  key?: string
  keyHelp?: string
}

export const groups: readonly { label: string; places: readonly Place[] }[] = [
  {
    label: nav.overview,
    places: [{ label: nav.dashboard, path: '/', key: 'd', keyHelp: shortcuts.goDashboard }],
  },
  {
    label: nav.inventory,
    places: [
      { label: nav.hosts, path: '/hosts', key: 'h', keyHelp: shortcuts.goHosts },
      { label: nav.vms, path: '/vms', key: 'v', keyHelp: shortcuts.goVms },
      { label: nav.storage, path: '/storage', key: 's', keyHelp: shortcuts.goStorage },
      { label: nav.networks, path: '/networks', key: 'n', keyHelp: shortcuts.goNetworks },
    ],
  },
  {
    label: nav.automation,
    places: [{ label: nav.states, path: '/states', key: 'a', keyHelp: shortcuts.goStates }],
  },
  {
    label: nav.operations,
    places: [{ label: nav.tasks, path: '/tasks', key: 't', keyHelp: shortcuts.goTasks }],
  },
  {
    label: nav.administration,
    places: [
      { label: nav.keys, path: '/keys' },
      { label: nav.about, path: '/about' },
    ],
  },
]

export const places: readonly Place[] = groups.flatMap((group) => group.places)

/** Whether `path` is the place or below it. */
export function isAt(place: Place, path: string): boolean {
  return place.path === '/' ? path === '/' : path === place.path || path.startsWith(`${place.path}/`)
}
