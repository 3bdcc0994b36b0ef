// What the server costs while nothing happens, and how soon it answers.
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Salar } from '../support/salar.ts'
import { test } from '../support/fixtures.ts'
import { report } from './statistics.ts'

const SECONDS = Number(process.env.SALAR_BENCH_IDLE ?? 60)

/** The process and its children. */
function family(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]) === pid
      } catch {
        return false
      }
    })
  return [pid, ...children.flatMap((child) => family(Number(child)))]
}

const residentMb = (pid: number) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)?.[1]) / 1024
/** Memory with what is shared counted once. */
const proportionalMb = (pid: number) => Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m)?.[1]) / 1024
const cpuSecs = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

test('an idle server with one host', async ({ world }) => {
  test.setTimeout(600_000)
  const pids = family(world.salar.pid)
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  const before = pids.map(cpuSecs)
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000))
  const used = pids.map((pid, i) => cpuSecs(pid) - (before[i] ?? 0))
  report('salar serve, resident', residentMb(pids[0] ?? 0), 'MB', 60)
  report('salar serve and its agent, proportional set size', pids.reduce((sum, pid) => sum + proportionalMb(pid), 0), 'MB', 60)
  report('salar serve and its agent, share of a core', (100 * used.reduce((a, b) => a + b, 0)) / SECONDS, '%', 1)
})

test('start to first page', async ({ world }) => {
  const stateDir = join(world.dir, 'again')
  mkdirSync(stateDir)
  const options = { stateDir, hypervisor: await world.host.uri(), fileRoot: world.fileRoot }
  const first = await Salar.serve(options)
  await first.stop()
  const start = performance.now()
  const again = await Salar.serve(options, first.password)
  const page = await fetch(`${again.url}/`)
  await page.text()
  report('start to first page', performance.now() - start, 'ms', 1000)
  await again.stop()
})
