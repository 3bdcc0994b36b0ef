/** Short names for the wire types. */
import type { components } from './schema'

type Schemas = components['schemas']

export type About = Schemas['About']
export type Accepted = Schemas['Accepted']
export type Action = Schemas['Action']
export type ActionError = Schemas['ActionError']
export type AllowedAction = Schemas['AllowedAction']
export type ChangedObject = Schemas['ChangedObject']
export type ConsoleTicket = Schemas['ConsoleTicket']
export type Disk = Schemas['Disk']
export type Facet = Schemas['Facet']
export type Graphics = Schemas['Graphics']
export type Host = Schemas['Host']
export type NewHost = Schemas['NewHost']
export type ShownHost = Schemas['ShownHost']
export type HostRef = Schemas['HostRef']
export type Job = Schemas['Job']
export type Key = Schemas['Key']
export type Network = Schemas['Network']
export type Nic = Schemas['Nic']
export type Pool = Schemas['Pool']
export type Progress = Schemas['Progress']
export type RunRequest = Schemas['RunRequest']
export type Session = Schemas['Session']
export type Vm = Schemas['Vm']
export type VmDetail = Schemas['VmDetail']
export type VmXml = Schemas['VmXml']

/** The rows of each collection that lives. */
export interface Rows {
  vms: Vm
  hosts: Host
  pools: Pool
  networks: Network
  actions: Action
}

export type CollectionName = keyof Rows

/** A window of a list. */
export interface Window<Row> {
  items: Row[]
  total: number
  offset: number
  revision: string
  facets: Facet[]
}

/** What a list is asked for. */
export interface ListQuery {
  search?: string
  /** Comma list. */
  status?: string
  /** Comma list of ids. */
  host?: string
  /** `name`, `-memory`… */
  sort?: string
}

/** Most rows of one window. */
export const windowRows = 200

/** The life-cycle requests, in the order of menus. */
export const powerActions = [
  'start',
  'shutdown',
  'reboot',
  'force_off',
  'reset',
  'pause',
  'resume',
  'save',
] as const
export type PowerAction = (typeof powerActions)[number]

export function isPowerAction(word: string): word is PowerAction {
  return powerActions.some((action) => action === word)
}
