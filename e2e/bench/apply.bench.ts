// `salar call state.apply vm` with nothing to change, against a program that makes nothing but the libvirt calls it needs.
// The two run in turn, so that the machine's mood hits both.
import { join } from 'node:path'
import { output, stdout } from '../support/process.ts'
import { test, expect } from '../support/fixtures.ts'
import { median, report } from './statistics.ts'

const RUNS = Number(process.env.SALAR_BENCH_RUNS ?? 40)

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

for (const driver of ['QEMU', 'the test driver'] as const) {
  test(`state.apply with nothing to change on ${driver}`, async ({ world }) => {
    test.setTimeout(600_000)
    const uri = driver === 'QEMU' ? await world.host.uri() : (await world.host.uri()).replace('qemu+unix:///system', 'test+unix:///default')
    world.state('quiet.sls', QUIET)
    const bin = process.env.SALAR_BIN_DIR ?? ''
    const call = () => output(join(bin, 'salar-agent'), ['call', '--connect', uri, '--file-root', world.fileRoot, '--state-dir', join(world.dir, 'call'), 'state.apply', 'quiet'])
    const bare = () => stdout(join(bin, 'examples', 'bare_calls'), ['bare', uri, 'quiet', 'quietpool', 'quietnet', '1'])
    // The test driver lives as long as a connection to it does.
    const keeper = driver === 'QEMU' ? undefined : await keepOpen(uri)
    const first = await call()
    expect(first.status, first.stdout + first.stderr).toBe(0)
    const ours: number[] = []
    const theirs: number[] = []
    for (let i = 0; i < RUNS; i++) {
      ours.push(await timed(call))
      theirs.push(await timed(bare))
    }
    keeper?.()
    report(`bare libvirt calls, ${driver}, median`, median(theirs), 'ms')
    report(`salar call state.apply above them, ${driver}, median`, median(ours.map((t, i) => t - (theirs[i] ?? 0))), 'ms', 30)
  })
}

async function keepOpen(uri: string): Promise<() => void> {
  const { spawn } = await import('node:child_process')
  const shell = spawn('virsh', ['-c', uri], { stdio: ['pipe', 'ignore', 'ignore'] })
  shell.stdin.write('list\n')
  return () => shell.stdin.end('quit\n')
}

const QUIET = `
quietpool:
  virt.pool_running:
    - ptype: dir
    - target: /var/lib/libvirt/quiet
quietnet:
  virt.network_running:
    - bridge: quietbr0
    - forward: nat
    - ipv4_config: {cidr: 192.168.46.0/24, dhcp_ranges: [{start: 192.168.46.10, end: 192.168.46.20}]}
quiet:
  virt.running:
    - cpu: 1
    - mem: 64
    - disks: [{name: system, format: qcow2, pool: quietpool, size: 16}]
    - interfaces: [{name: eth0, type: network, source: quietnet, mac: '52:54:00:00:00:99'}]
    - graphics: {type: vnc}
    - seed: False
    - require: [{virt: quietpool}, {virt: quietnet}]
`
