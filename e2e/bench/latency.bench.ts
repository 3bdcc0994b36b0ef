// libvirt's callback to the row in the browser, over 500 pairs of `virsh start` and `virsh destroy`.
//
// The callback's time is what `virsh event --timestamp` prints: a second listener on the same libvirtd. The row's time is taken in the
// page by a MutationObserver. Both clocks are this machine's.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Background, until } from '../support/process.ts'
import { test, expect } from '../support/fixtures.ts'
import { median, quantile, report } from './statistics.ts'

const PAIRS = Number(process.env.SALAR_BENCH_PAIRS ?? 500)
const XML = `<domain type='qemu'><name>blink</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
  <os><type arch='x86_64'>hvm</type></os></domain>`

interface Seen {
  at: number
  text: string
}

test('libvirt callback to row in the browser', async ({ user, world }) => {
  test.setTimeout(3_600_000)
  writeFileSync(join(world.dir, 'blink.xml'), XML)
  await world.host.virsh('define', join(world.dir, 'blink.xml'))
  await expect(user.getByRole('row', { name: /blink/ })).toContainText('Shut off')
  await user.evaluate(() => {
    const seen: Seen[] = []
    Object.assign(window, { seen })
    const status = () => {
      const row = [...document.querySelectorAll('tbody tr')].find((r) => r.textContent?.includes('blink'))
      return row?.textContent?.match(/Running|Shut off/)?.[0] ?? ''
    }
    let last = status()
    new MutationObserver(() => {
      const now = status()
      if (now === last) return
      last = now
      seen.push({ at: performance.timeOrigin + performance.now(), text: now })
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })
  })
  const seenSoFar = () => user.evaluate(() => (window as unknown as { seen: Seen[] }).seen)

  const events = new Background('virsh event', 'virsh', ['-c', await world.host.uri(), 'event', '--domain', 'blink', '--event', 'lifecycle', '--loop', '--timestamp'], join(world.dir, 'events.log'))
  const shell = new Background('virsh', 'sh', ['-c', loop(await world.host.uri())], join(world.dir, 'virsh.log'))
  await until('all pairs are done', 3_000, () => (shell.child.exitCode === null ? undefined : true))
  await until('every change is on the page', 30, async () => ((await seenSoFar()).length >= 2 * PAIRS ? true : undefined)).catch(() => undefined)
  await events.stop('SIGINT')

  const callbacks = [...events.printed.matchAll(/^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})\+0000: event 'lifecycle' for domain '?blink'?: (Started Booted|Stopped Destroyed)/gm)]
    .map((m) => ({ at: Date.parse(`${m[1]}T${m[2]}Z`), text: m[3]?.startsWith('Started') ? 'Running' : 'Shut off' }))
  const rows = await seenSoFar()
  const delays = callbacks.map((callback, i) => {
    // The change that shows it comes before the next callback of the same kind; a later one belongs to that.
    const next = callbacks.slice(i + 1).find((other) => other.text === callback.text)?.at ?? Infinity
    const row = rows.find((r) => r.text === callback.text && r.at >= callback.at - 5 && r.at < next)
    return row ? Math.max(0, row.at - callback.at) : Infinity
  })
  const lost = delays.filter((delay) => delay === Infinity).length
  console.log(`${callbacks.length} callbacks, ${lost} never on the page`)
  report('callback → row, median', median(delays), 'ms', 100)
  report('callback → row, 99th percentile', quantile(delays, 0.99), 'ms', 400)
  expect(callbacks.length).toBe(2 * PAIRS)
  expect(lost).toBe(0)
})

/** The pairs, one after the other, each followed by a pause in which a person could look. */
function loop(uri: string): string {
  return `i=0; while [ $i -lt ${PAIRS} ]; do virsh -q -c '${uri}' start blink; sleep 0.1; virsh -q -c '${uri}' destroy blink; sleep 0.1; i=$((i + 1)); done`
}
