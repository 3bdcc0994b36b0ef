/**
 * The shape and colour of each state. Shape, word and colour always come together: colour alone tells nothing to
 * many people. Paths are drawn on a field of 16 × 16.
 */

export type Tone = 'success' | 'subtle' | 'warning' | 'danger' | 'info'

export interface Shape {
  path: string
  tone: Tone
  /** Outlined: wanted, but not yet true. */
  hollow?: boolean
  /** Turns, unless the person prefers stillness. */
  turns?: boolean
}

const triangle = 'M4 2.5 13.5 8 4 13.500Z'
const square = 'M3.5 3.500h9v9h-9Z'
const bars = 'M4 3h3v10H4ZM9 3h3v10H9Z'
const cross =
  'M4.2 2.5 8 6.300l3.8-3.8 1.7 1.700L9.7 8l3.8 3.8-1.7 1.700L8 9.700l-3.8 3.8-1.7-1.700L6.3 8 2.5 4.200Z'
const migrate = 'M2 4h7V1.800L13.5 5.3 9 8.800V6.600H2ZM14 12H7v2.200L2.5 10.7 7 7.200v2.200h7Z'
const arc = 'M8 1.500A6.5 6.5 0 1 1 1.5 8h2.200A4.3 4.3 0 1 0 8 3.700Z'
const tick = 'M2 8.6 3.6 7l2.9 2.900L12.4 4 14 5.600l-7.5 7.500Z'
const brokenLink =
  'M6.3 11.9 5 13.200a2.3 2.3 0 0 1-3.2-3.200l2.6-2.6 1.2 1.200L3 11.200a.6.6 0 0 0 .8.800l1.3-1.300ZM9.7 4.1 11 2.800A2.3 2.3 0 0 1 14.2 6l-2.6 2.6-1.2-1.200L13 4.800A.6.6 0 0 0 12.2 4l-1.3 1.300ZM2.2 3.200l1-1 10.6 10.6-1 1Z'
const question =
  'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm0 1.600a5.4 5.4 0 1 0 0 10.800A5.4 5.4 0 0 0 8 2.600Zm-.8 7.600h1.600v1.600H7.200ZM8 4.200c1.5 0 2.6.9 2.6 2.2 0 1.6-1.8 1.8-1.8 2.900H7.200c0-1.9 1.7-2 1.7-2.8 0-.4-.4-.7-.9-.7s-.9.3-1 .8l-1.6-.3C5.6 5 6.6 4.2 8 4.200Z'
const clock =
  'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm0 1.600a5.4 5.4 0 1 0 0 10.800A5.4 5.4 0 0 0 8 2.600ZM7.2 4.500h1.600v3.200l2.2 1.9-1 1.2-2.8-2.400Z'
const ring = 'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm0 1.600a5.4 5.4 0 1 0 0 10.800A5.4 5.4 0 0 0 8 2.600Z'

/** Beside the state of a VM whose definition waits for the next start. */
export const pendingShape = clock

const unknown: Shape = { path: question, tone: 'subtle' }

const byStatus: Record<string, Shape> = {
  // Virtual machines
  running: { path: triangle, tone: 'success' },
  shutoff: { path: square, tone: 'subtle' },
  paused: { path: bars, tone: 'warning' },
  suspended: { path: bars, tone: 'warning' },
  crashed: { path: cross, tone: 'danger' },
  migrating: { path: migrate, tone: 'info' },
  shutting_down: { path: square, tone: 'subtle', hollow: true },
  // Pools and networks
  active: { path: triangle, tone: 'success' },
  inactive: { path: square, tone: 'subtle' },
  // Hosts
  live: { path: triangle, tone: 'success' },
  libvirt_down: { path: brokenLink, tone: 'danger' },
  unreachable: { path: brokenLink, tone: 'danger' },
}

const byActionStatus: Record<string, Shape> = {
  queued: { path: clock, tone: 'info' },
  sent: { path: clock, tone: 'info' },
  accepted: { path: arc, tone: 'info', turns: true },
  running: { path: arc, tone: 'info', turns: true },
  succeeded: { path: tick, tone: 'success' },
  failed: { path: cross, tone: 'danger' },
  cancelled: { path: ring, tone: 'subtle' },
}

const byKeyStatus: Record<string, Shape> = {
  unaccepted: { path: clock, tone: 'info' },
  accepted: { path: tick, tone: 'success' },
  rejected: { path: ring, tone: 'subtle' },
  denied: { path: cross, tone: 'danger' },
}

const byWish: Record<string, Shape> = {
  start: { path: triangle, tone: 'success', hollow: true },
  resume: { path: triangle, tone: 'success', hollow: true },
  reboot: { path: triangle, tone: 'success', hollow: true },
  reset: { path: triangle, tone: 'success', hollow: true },
  shutdown: { path: square, tone: 'subtle', hollow: true },
  force_off: { path: square, tone: 'subtle', hollow: true },
  pause: { path: bars, tone: 'warning', hollow: true },
  save: { path: square, tone: 'subtle', hollow: true },
}

export const shapeOfStatus = (status: string): Shape => byStatus[status] ?? unknown
export const shapeOfAction = (status: string): Shape => byActionStatus[status] ?? unknown
export const shapeOfWish = (action: string): Shape => byWish[action] ?? unknown
export const shapeOfKey = (status: string): Shape => byKeyStatus[status] ?? unknown
