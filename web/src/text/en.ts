/**
 * All words a person reads, in English. Sentence case, plain and imperative, one word for one thing:
 * virtual machine (VM in tables), host, pool, network, task. "Shut down" asks the guest, "Force off" cuts power.
 */
import type { CollectionName, PowerAction } from '../api/types'
import { countText as n } from './number'

const plural = (count: number, one: string, many: string) => `${n(count)} ${count === 1 ? one : many}`
const vmCount = (count: number) => plural(count, 'virtual machine', 'virtual machines')

export const product = 'Salar'

export const nav = {
  label: 'Main',
  toggle: 'Navigation',
  overview: 'Overview',
  inventory: 'Inventory',
  operations: 'Operations',
  administration: 'Administration',
  dashboard: 'Dashboard',
  hosts: 'Hosts',
  vms: 'Virtual machines',
  storage: 'Storage',
  networks: 'Networks',
  tasks: 'Tasks',
  about: 'About',
  skip: 'Skip to content',
  close: 'Close navigation',
  breadcrumb: 'Breadcrumb',
}

export const common = {
  cancel: 'Cancel',
  close: 'Close',
  copy: 'Copy',
  copied: 'Copied',
  copyByHand: 'Selected. Press Ctrl-C to copy',
  details: 'Details',
  hideDetails: 'Hide details',
  none: 'None',
  unknown: 'unknown',
  yes: 'Yes',
  no: 'No',
  retry: 'Try again',
  loading: 'Loading',
  open: (name: string) => `Open ${name}`,
  actions: 'Actions',
  dash: '–',
  requestId: 'Request',
  status: 'State',
}

export const problems = {
  unreachable: 'The server cannot be reached',
  unreachableHint: 'Check that it runs and that this computer is connected to it',
  proxy: (status: number) => `The server answered with status ${status} and no explanation`,
  pageFailed: 'This page could not be shown',
  listFailed: 'The list could not be loaded',
  notFound: 'There is no such page',
  notFoundHint: 'The address may be mistyped, or belong to something that is gone.',
  toDashboard: 'Go to the dashboard',
  reload: 'Reload',
}

export const login = {
  title: 'Sign in to Salar',
  user: 'User name',
  password: 'Password',
  submit: 'Sign in',
  working: 'Signing in',
  userMissing: 'Enter the user name',
  passwordMissing: 'Enter the password',
  failed: 'Wrong user name or password',
  first: (page: string) => `Sign in to open ${page}`,
  firstHint: 'The first password is printed by the server when it starts for the first time.',
}

export const live = {
  live: 'Live',
  connecting: 'Connecting',
  reconnecting: (seconds: number) => `Reconnecting (since ${n(seconds)} s)`,
  paused: 'Paused',
  signedOut: 'Signed out',
  tryNow: 'Try now',
  asOf: (time: string) => `as of ${time}`,
  about: {
    live: 'Changes on the hosts show at once',
    connecting: 'Connecting to the server for live changes',
    reconnecting: 'The connection for live changes is lost. What is shown may be old',
    paused: 'Live changes are paused while the page is hidden',
    signed_out: 'Sign in to see live changes',
  },
  newBuild: 'The server has been updated. This page is of the version before.',
  reload: 'Reload',
}

export const masthead = {
  search: 'Search or run…',
  searchKeys: 'Ctrl-K',
  searchLabel: 'Search or run a command',
  tasks: (running: number) => (running === 0 ? 'Tasks' : `Tasks, ${n(running)} running`),
  help: 'Keyboard shortcuts',
  userMenu: (user: string) => `Account of ${user}`,
  role: (role: string) => `Role: ${role}`,
  theme: 'Theme',
  themeSystem: 'System theme',
  themeLight: 'Light theme',
  themeDark: 'Dark theme',
  density: 'Density',
  compact: 'Compact rows',
  comfortable: 'Comfortable rows',
  shortcutsSwitch: 'Single-letter shortcuts',
  signOut: 'Sign out',
  signOutFailed: 'Could not sign out',
}

export const palette = {
  title: 'Search or run a command',
  placeholder: 'Name of a virtual machine, page or action',
  pages: 'Pages',
  actions: 'Actions on this page',
  vms: 'Virtual machines',
  nothing: 'Nothing found',
  searching: 'Searching',
  foot: '↑ ↓ to choose, Enter to open, Esc to close',
}

export const shortcuts = {
  title: 'Keyboard shortcuts',
  palette: 'Search or run a command',
  filter: 'Focus the filter of a list',
  next: 'Next row',
  previous: 'Previous row',
  select: 'Select the row',
  open: 'Open the row',
  goDashboard: 'Go to the dashboard',
  goVms: 'Go to virtual machines',
  goHosts: 'Go to hosts',
  goStorage: 'Go to storage',
  goNetworks: 'Go to networks',
  goTasks: 'Go to tasks',
  help: 'Show this list',
  consoleRelease: 'Release the keyboard from a console',
  off: 'Single-letter shortcuts are switched off in the account menu.',
}

export const statusText: Record<string, string> = {
  running: 'Running',
  paused: 'Paused',
  suspended: 'Suspended',
  shutting_down: 'Shutting down',
  migrating: 'Migrating',
  crashed: 'Crashed',
  shutoff: 'Shut off',
  unknown: 'Unknown',
  active: 'Active',
  inactive: 'Inactive',
  live: 'Live',
  libvirt_down: 'libvirt down',
  unreachable: 'Unreachable',
  queued: 'Queued',
  sent: 'Sent',
  accepted: 'Picked up',
  succeeded: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
}

/** A running task has another colour than a running VM, but the same word. */
export const statusLabel = (status: string) => statusText[status] ?? status

export const power: Record<
  PowerAction,
  {
    label: string
    wanted: string
    title: (name: string) => string
    consequence: string
    bulk: (count: number) => string
  }
> = {
  start: {
    label: 'Start',
    wanted: 'Starting…',
    title: (name) => `Start ${name}?`,
    consequence: 'The virtual machine boots.',
    bulk: (count) => `Start ${vmCount(count)}`,
  },
  shutdown: {
    label: 'Shut down',
    wanted: 'Shutting down…',
    title: (name) => `Shut down ${name}?`,
    consequence: 'The guest is asked to shut down.',
    bulk: (count) => `Shut down ${vmCount(count)}`,
  },
  reboot: {
    label: 'Reboot',
    wanted: 'Rebooting…',
    title: (name) => `Reboot ${name}?`,
    consequence: 'The guest is asked to reboot. Everything it serves is interrupted until it is up again.',
    bulk: (count) => `Reboot ${vmCount(count)}`,
  },
  force_off: {
    label: 'Force off',
    wanted: 'Forcing off…',
    title: (name) => `Force off ${name}?`,
    consequence:
      'Power is cut at once, as if the plug were pulled. What the guest has not written to disk is lost.',
    bulk: (count) => `Force off ${vmCount(count)}`,
  },
  reset: {
    label: 'Reset',
    wanted: 'Resetting…',
    title: (name) => `Reset ${name}?`,
    consequence:
      'The reset button is pressed. The guest does not shut down first, so unwritten data is lost.',
    bulk: (count) => `Reset ${vmCount(count)}`,
  },
  pause: {
    label: 'Pause',
    wanted: 'Pausing…',
    title: (name) => `Pause ${name}?`,
    consequence: 'The guest stands still and keeps its memory.',
    bulk: (count) => `Pause ${vmCount(count)}`,
  },
  resume: {
    label: 'Resume',
    wanted: 'Resuming…',
    title: (name) => `Resume ${name}?`,
    consequence: 'The guest goes on.',
    bulk: (count) => `Resume ${vmCount(count)}`,
  },
}

export const powerText = {
  failed: (action: PowerAction, name: string) => `${power[action].label} of ${name} failed`,
  refused: (action: PowerAction, name: string) => `${power[action].label} of ${name} was refused`,
  changedTitle: (name: string) => `${name} has changed meanwhile`,
  youSaw: 'You saw',
  itIs: 'It is now',
  anyway: (action: PowerAction) => `${power[action].label} anyway`,
  openConsole: 'Open console',
  stillWaiting: (host: string) => `Still waiting for ${host}`,
  menu: 'Power',
  menuOf: (name: string) => `Actions on ${name}`,
  notOffered: 'Not offered for this virtual machine',
  taskFailed: (summary: string) => `“${summary}” failed`,
  unknownOutcome: 'Its outcome is not known',
  cancelled: 'It was cancelled',
}

export const bulk = {
  region: 'Actions on the selected virtual machines',
  selected: (count: number) => `${n(count)} selected`,
  clear: 'Clear selection',
  can: (count: number) => `${vmCount(count)} can`,
  cannot: (count: number) => `${vmCount(count)} cannot:`,
  noneTitle: (action: PowerAction) => `${power[action].label} is not possible now`,
  noneCan: 'None of the selected virtual machines can do this now.',
  reason: (count: number, reason: string) => `${n(count)} × ${reason}`,
  resultTitle: (action: PowerAction, done: number, failed: number) =>
    `${power[action].label}: ${n(done)} accepted${failed === 0 ? '' : `, ${n(failed)} failed`}`,
  resultOk: 'Accepted',
  working: (done: number, all: number) => `${n(done)} of ${n(all)} asked`,
  retryFailed: (count: number) => `Retry the ${n(count)} failed`,
  outside: (count: number) => `${vmCount(count)} of the selection are not loaded and are left out`,
}

const collectionWord: Record<CollectionName, [one: string, many: string]> = {
  vms: ['virtual machine', 'virtual machines'],
  hosts: ['host', 'hosts'],
  pools: ['pool', 'pools'],
  networks: ['network', 'networks'],
  actions: ['task', 'tasks'],
}

export const list = {
  region: (name: CollectionName) => `Table of ${collectionWord[name][1]}`,
  table: (name: CollectionName) => collectionWord[name][1].replace(/^./, (first) => first.toUpperCase()),
  filter: (name: CollectionName) => `Filter ${collectionWord[name][1]}`,
  filterPlaceholder: 'Filter by name',
  clearFilter: 'Clear filter',
  total: (name: CollectionName, count: number) => plural(count, ...collectionWord[name]),
  moved: (count: number) => `${plural(count, 'row has', 'rows have')} moved`,
  refreshOrder: 'Refresh order',
  sortBy: (column: string) => `Sort by ${column}`,
  resize: (column: string) => `Width of ${column}`,
  columns: 'Columns',
  menus: 'Actions',
  stale: 'The list could not be loaded again. What is shown may be old.',
  selectRow: (name: string) => `Select ${name}`,
  selectAll: 'Select all loaded rows',
  rowMenu: (name: string) => `Actions on ${name}`,
  lastKnown: (age: string) => `last known ${age}`,
  gone: 'Deleted',
  filters: 'Filters',
  showMatches: (name: CollectionName, count: number) => `Show ${plural(count, ...collectionWord[name])}`,
  facets: { status: 'State', host: 'Host' } as Record<string, string>,
  facet: (field: string) => `Filter by ${field.toLowerCase()}`,
  remove: (value: string) => `Remove filter ${value}`,
  noMatch: (name: CollectionName) => `No ${collectionWord[name][1]} match the filter`,
  noMatchHint: 'Change the filter, or clear it to see all.',
  pending: 'Changes wait for the next start',
  moreValues: (count: number) => `${n(count)} more`,
}

export const vms = {
  title: 'Virtual machines',
  name: 'Name',
  host: 'Host',
  vcpus: 'vCPU',
  memory: 'Memory',
  addresses: 'IP address',
  type: 'Type',
  autostart: 'Autostart',
  autostartOn: 'Starts with its host',
  observed: 'Last read',
  emptyTitle: 'No virtual machines yet',
  emptyBody:
    'Every virtual machine of a host shows here by itself, whoever made it. Apply a state file to make one:',
  emptyCommand: 'salar call state.apply vm',
}

export const vm = {
  tabs: 'Parts of the virtual machine',
  overview: 'Overview',
  console: 'Console',
  xml: 'XML',
  facts: 'Facts',
  disks: 'Disks',
  nics: 'Network interfaces',
  graphics: 'Graphical consoles',
  tasks: 'Latest tasks',
  noDisks: 'No disks',
  noNics: 'No network interfaces',
  noGraphics: 'No graphical console',
  noTasks: 'No tasks so far',
  target: 'Target',
  source: 'Source',
  format: 'Format',
  bus: 'Bus',
  device: 'Device',
  access: 'Access',
  readOnly: 'Read-only',
  readWrite: 'Read and write',
  emptyDrive: 'Empty',
  network: 'Network',
  mac: 'MAC address',
  model: 'Model',
  addresses: 'IP addresses',
  interface: 'Interface on the host',
  kind: 'Kind',
  listen: 'Listens on',
  port: 'Port',
  uuid: 'UUID',
  domainId: 'Running id',
  arch: 'Architecture',
  osType: 'Guest type',
  vcpus: 'vCPUs',
  vcpusOf: (now: number, most: number) => (now === most ? n(now) : `${n(now)} of at most ${n(most)}`),
  memory: 'Memory',
  memoryOf: (now: string, most: string) => (now === most ? now : `${now} of at most ${most}`),
  autostart: 'Autostart',
  persistent: 'Definition',
  isPersistent: 'Survives its stop',
  isTransient: 'Gone after its stop',
  managedSave: 'Saved memory',
  hasManagedSave: 'Resumes from it at the next start',
  observed: 'Last read',
  description: 'Description',
  reason: 'Reason',
  titleField: 'Title',
  pendingTitle: 'Changes take effect at the next start',
  pendingBody: 'What runs differs from the definition of the next start. The XML tab shows both.',
  goneTitle: (name: string) => `${name} does not exist any more`,
  goneBody: 'It was deleted, or its host was removed.',
  toList: 'Show all virtual machines',
  hostNotLive: (host: string, age: string) => `${host} cannot be read; this is the last known state, ${age}`,
}

export const xml = {
  which: 'Definition',
  live: 'Live',
  persistent: 'Next start',
  liveMissing: 'There is no live definition while the virtual machine is off',
  persistentMissing: 'The virtual machine is transient: it has no definition for a next start',
  copy: 'Copy XML',
  label: (name: string) => `XML of ${name}`,
  read: 'Read',
}

export const consoleText = {
  toolbar: 'Console',
  screen: (name: string) => `Screen of ${name}`,
  scale: 'Fit to window',
  actualSize: 'Actual size',
  fullScreen: 'Full screen',
  leaveFullScreen: 'Leave full screen',
  ctrlAltDel: 'Ctrl-Alt-Del',
  keys: 'Keys',
  keysMenu: 'Send keys to the guest',
  holdCtrl: 'Hold Ctrl',
  holdAlt: 'Hold Alt',
  paste: 'Paste as typed text',
  pasteTitle: 'Paste as typed text',
  pasteText: 'Text to type',
  pasteLayout: 'Keyboard layout of the guest',
  pasteHint: 'Each character is sent as the keys that a person would press on that layout.',
  pasteCannot: (chars: string) => `Not on this layout, will be left out: ${chars}`,
  pasteSubmit: 'Type text',
  layouts: { us: 'English (US)', uk: 'English (UK)', de: 'German' },
  screenshot: 'Screenshot',
  screenshotFile: (name: string) => `${name.replace(/[^\w.-]+/g, '_').slice(0, 80)}.png`,
  viewOnly: 'View only',
  reconnect: 'Reconnect',
  connecting: 'Connecting',
  connected: 'Connected',
  disconnected: 'Disconnected',
  lost: 'The connection to the console is lost',
  securityFailed: (reason: string) => `The console refused the connection: ${reason}`,
  needsPassword: 'The console asks for a password',
  password: 'Console password',
  sendPassword: 'Send password',
  stoppedTitle: 'The virtual machine is not running',
  stoppedBody: 'Its console is there while it runs.',
  noGraphicsTitle: 'No graphical console',
  noGraphicsBody: 'This virtual machine has no VNC device. Add one to its definition to see its screen here.',
  captured: 'Keyboard goes to the guest. Ctrl-Alt-Shift releases it',
  free: 'Click the screen to type',
  failed: 'The console could not be opened',
}

export const hosts = {
  title: 'Hosts',
  name: 'Name',
  freshness: 'State',
  hypervisor: 'Hypervisor',
  libvirt: 'libvirt',
  vms: 'VMs running',
  vmsOf: (running: number, total: number) => `${n(running)} of ${n(total)}`,
  cpus: 'CPUs',
  memory: 'Memory',
  arch: 'Architecture',
  accelerated: 'Virtualization',
  hardware: 'Hardware',
  emulated: 'Emulation only',
  lastSeen: 'Last contact',
  problem: 'Problem',
  uri: 'Connection',
  emptyTitle: 'No hosts yet',
  emptyBody:
    'The hypervisor of the machine that runs the server shows here as soon as its agent has read it.',
  emptyCommand: 'virsh -c qemu:///system version',
  cpuModel: 'CPU model',
  facts: 'Facts',
  vmsOn: 'Virtual machines',
  poolsOn: 'Storage pools',
  networksOn: 'Networks',
  showAll: (count: number) => `Show all ${n(count)}`,
  noVms: 'No virtual machines on this host',
  noPools: 'No storage pools on this host',
  noNetworks: 'No networks on this host',
  problemTitle: (name: string) => `${name} cannot be read`,
  problemHint: (age: string) => `What is shown of it is from its last contact, ${age}.`,
  remedy: {
    libvirt_down: 'Start libvirtd on the host (systemctl start libvirtd). The page follows by itself.',
    unreachable: 'Check that the host runs and that salar-agent runs on it. The page follows by itself.',
  } as Record<string, string>,
  showVms: (figures: string, host: string) => `${figures} virtual machines running on ${host}`,
}

export const pools = {
  title: 'Storage',
  name: 'Name',
  kind: 'Type',
  host: 'Host',
  used: 'Used',
  usedOf: (used: string, all: string) => `${used} of ${all}`,
  capacity: 'Capacity',
  free: 'Free',
  volumes: 'Volumes',
  target: 'Path',
  autostart: 'Autostart',
  inactive: 'Not known while inactive',
  meter: (name: string, percent: string) => `${name}: ${percent} used`,
  emptyTitle: 'No storage pools yet',
  emptyBody:
    'A pool is a place on a host that holds the disks of virtual machines. Apply a state file to make one:',
  emptyCommand: 'salar call state.apply pool',
}

export const networks = {
  title: 'Networks',
  name: 'Name',
  forward: 'Type',
  host: 'Host',
  bridge: 'Bridge',
  cidrs: 'Addresses',
  dhcp: 'DHCP',
  nics: 'Plugged in',
  autostart: 'Autostart',
  emptyTitle: 'No networks yet',
  emptyBody:
    'A network connects virtual machines with each other and with the world. Apply a state file to make one:',
  emptyCommand: 'salar call state.apply network',
}

export const tasks = {
  title: 'Tasks',
  drawer: 'Tasks',
  summary: 'Task',
  host: 'Host',
  user: 'User',
  created: 'Asked',
  progress: 'Progress',
  took: 'Took',
  running: 'Running',
  recent: 'Ended',
  emptyTitle: 'No tasks yet',
  emptyBody: 'Whatever people and schedules ask of the hosts shows here, with its progress and its outcome.',
  emptyCommand: 'salar vm start NAME',
  all: 'Show all tasks',
  cancel: 'Cancel',
  cancelOf: (summary: string) => `Cancel “${summary}”`,
  retry: 'Retry',
  retryOf: (summary: string) => `Retry “${summary}”`,
  cancelFailed: (summary: string) => `Could not cancel “${summary}”`,
  retryFailed: (summary: string) => `Could not retry “${summary}”`,
  openVm: 'Open VM',
  by: (user: string, host: string) => `${user} · ${host}`,
  percent: (percent: string, rate: string | undefined, left: string | undefined) =>
    [percent, rate, left].filter((part) => part !== undefined).join(' · '),
  left: (duration: string) => `about ${duration} left`,
  unknownCause: 'The host has not said why.',
  unknownOutcome: 'The outcome is not known. Check the object before you retry.',
  nothingRunning: 'Nothing is running',
}

export const dashboard = {
  title: 'Dashboard',
  vms: 'Virtual machines',
  hosts: 'Hosts',
  attention: 'Needs attention',
  allWell: 'Nothing needs attention',
  latest: 'Latest tasks',
  storage: 'Storage',
  storageUsed: (used: string, all: string) => `${used} of ${all} used`,
  crashed: (count: number) => `${vmCount(count)} crashed`,
  showCrashed: 'Show them',
  poolFull: (pool: string, host: string, percent: string) => `Pool ${pool} on ${host} is ${percent} full`,
  showPools: 'Show pools',
  noVms: 'No virtual machines yet',
  noHosts: 'No hosts yet',
  networks: 'Networks',
  noPools: 'No storage pools yet',
  noNetworks: 'No networks yet',
  capacity: 'Storage in use',
  whatToDo: 'What to do',
  hostIs: (host: string, state: string) => `${host}: ${state}`,
  running: (running: number, total: number) => `${n(running)} of ${plural(total, 'VM', 'VMs')} running`,
}

export const about = {
  title: 'About Salar',
  lead: 'Salar manages KVM and Xen virtual machines from a browser, a command line and Git.',
  version: 'Version',
  build: 'Build',
  started: 'Server started',
  licence: 'Licence',
  licenceName: 'Apache License 2.0',
  notices: 'Licences of the parts in this page',
  noticesBody:
    'This page contains the work of others. The graphical console is noVNC, unmodified, under the Mozilla Public License 2.0; its source is at github.com/novnc/noVNC.',
  noticesFailed: 'The notices are made by the build and are not there during development',
  colPackage: 'Package',
  colVersion: 'Version',
  colLicence: 'Licence',
  fullText: 'Full texts',
}

export const time = {
  justNow: 'just now',
  secondsAgo: (count: number) => `${n(count)} s ago`,
  minutesAgo: (count: number) => `${n(count)} min ago`,
  hoursAgo: (count: number) => `${n(count)} h ago`,
  daysAgo: (count: number) => plural(count, 'day ago', 'days ago'),
  seconds: (count: number) => `${n(count)} s`,
  minutes: (count: number) => `${n(count)} min`,
  hours: (count: number) => `${n(count)} h`,
}

export const toasts = {
  region: 'Messages',
}
