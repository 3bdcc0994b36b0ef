/** Numbers, sizes and times as people read them. */
import { time } from '../text/en'
import { countText } from '../text/number'

export { countText }

const sizeUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `1.5 GiB`: one decimal, none when it is zero. */
export function sizeText(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < sizeUnits.length - 1) {
    value /= 1024
    unit += 1
  }
  const rounded = Math.round(value * 10) / 10
  return `${countText(rounded)} ${sizeUnits[unit]}`
}

/** `118 MB/s`. */
export function rateText(bytesPerSecond: number): string {
  const mega = bytesPerSecond / 1e6
  return `${countText(mega >= 10 ? Math.round(mega) : Math.round(mega * 10) / 10)} MB/s`
}

/** `43 %`, rounded down so that 100 % means all of it. */
export function percentText(part: number, whole: number): string {
  return `${whole <= 0 ? 0 : Math.floor((part / whole) * 100)} %`
}

/** `3 min ago`. */
export function agoText(at: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(at)) / 1000))
  if (Number.isNaN(seconds)) return ''
  if (seconds < 5) return time.justNow
  if (seconds < 60) return time.secondsAgo(seconds)
  if (seconds < 3600) return time.minutesAgo(Math.floor(seconds / 60))
  if (seconds < 86_400) return time.hoursAgo(Math.floor(seconds / 3600))
  return time.daysAgo(Math.floor(seconds / 86_400))
}

/** `2 min`. */
export function durationText(seconds: number): string {
  if (seconds < 90) return time.seconds(Math.max(0, Math.round(seconds)))
  if (seconds < 5400) return time.minutes(Math.round(seconds / 60))
  return time.hours(Math.round(seconds / 3600))
}

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' })
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

/** Date, time and zone. */
export function absoluteText(at: string): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? at : absolute.format(date)
}

/** `14:02:31`. */
export function clockText(at: number): string {
  return clock.format(new Date(at))
}

/** Cuts a long text in its middle, where names differ least. */
export function cutMiddle(text: string, most: number): string {
  const letters = Array.from(text)
  if (letters.length <= most) return text
  const head = Math.ceil((most - 1) / 2)
  const tail = Math.floor((most - 1) / 2)
  return `${letters.slice(0, head).join('')}…${letters.slice(letters.length - tail).join('')}`
}

/** The kind of guest by its name: Xen has three, which only a VM's details tell apart. */
export function guestKind(domainType: string, osType?: string): string {
  if (domainType !== 'xen') return domainType.toUpperCase()
  const kinds: Record<string, string> = { hvm: 'Xen HVM', xenpvh: 'Xen PVH', linux: 'Xen PV', xen: 'Xen PV' }
  return kinds[osType ?? ''] ?? 'Xen'
}
