// A host as files, plans from them without libvirt, and what is there as a state file that changes nothing.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '../support/fixtures.ts'
import { paths } from '../support/paths.ts'
import { stdout } from '../support/process.ts'

test.describe.configure({ mode: 'serial' })

const STATES = (memory: number) => `
dnet:
  virt.network_running:
    - bridge: dnetbr0
    - forward: nat
    - ipv4_config: {cidr: 192.168.48.0/24, dhcp_ranges: [{start: 192.168.48.10, end: 192.168.48.20}]}
dpool:
  virt.pool_running: [ptype: dir, target: /var/lib/libvirt/dpool, autostart: False]
dvm:
  virt.running:
    - cpu: {maximum: 2, current: 1}
    - mem: ${memory}
    - disks: [{name: system, format: qcow2, pool: dpool, size: 16}]
    - interfaces: [{name: eth0, type: network, source: dnet, mac: '52:54:00:00:00:48'}]
    - graphics: {type: vnc}
    - serials: [{type: pty}]
    - require: [{virt: dnet}, {virt: dpool}]
`

test('the server program plans for a described host, and links no libvirt', async ({ world }) => {
  world.state('d.sls', STATES(64))
  const applied = await world.salar.call('state.apply', 'd')
  expect(applied.status, applied.stdout + applied.stderr).toBe(0)
  world.state('d.sls', STATES(96))

  const folder = join(world.dir, 'described')
  const described = await world.salar.cli('describe', '--host', 'kvm1.example', folder)
  expect(described.status, described.stderr).toBe(0)
  expect(readFileSync(join(folder, 'vms/dvm.xml'), 'utf8')).toContain('<name>dvm</name>')

  const there = await world.salar.cli('plan', '--host', 'kvm1.example', '--json', 'd')
  expect(there.status, there.stderr).toBe(0)
  const here = await world.salar.cli('plan', '--against', folder, '--file-root', world.fileRoot, '--json', 'd')
  expect(here.status, here.stderr).toBe(0)
  expect(JSON.parse(here.stdout).hash).toBe(JSON.parse(there.stdout).hash)
  const vm = JSON.parse(here.stdout).states.find((state: { id: string }) => state.id === 'dvm')
  expect(vm.steps.map((step: { call: string }) => step.call)).toEqual(['virDomainDefineXML'])

  const text = await world.salar.cli('plan', '--against', folder, '--file-root', world.fileRoot, 'd')
  expect(text.stdout).toContain('Update the definition of VM dvm: memory')
  expect(await stdout('ldd', [paths.salar()])).not.toContain('libvirt')
})

test('a folder that is none is refused with the file', async ({ world }) => {
  const refused = await world.salar.cli('plan', '--against', world.fileRoot, 'd')
  expect(refused.status).toBe(1)
  expect(refused.stderr).toMatch(/Error: cannot plan for .*host\.yaml/)
  expect(refused.stderr).toContain('Hint: salar describe DIR writes such a folder')
})

test('what is exported changes nothing when it is applied', async ({ world }) => {
  const exported = await world.salar.cli('export', '--host', 'kvm1.example')
  expect(exported.status, exported.stderr).toBe(0)
  expect(exported.stdout).toContain('virt.network_running')
  expect(exported.stdout).toContain('before-us')
  writeFileSync(join(world.fileRoot, 'exported.sls'), exported.stdout)
  const plan = await world.salar.cli('plan', '--host', 'kvm1.example', '--json', 'exported')
  expect(plan.status, plan.stderr).toBe(0)
  const loud = JSON.parse(plan.stdout).states.filter((state: { steps: unknown[] }) => state.steps.length > 0)
  expect(loud, exported.stdout).toEqual([])

  const one = await world.salar.cli('export', '--host', 'kvm1.example', 'dvm')
  expect(one.stdout).toContain('virt: dpool')
  expect(one.stdout).not.toContain('before-us')
  const nobody = await world.salar.cli('export', '--host', 'kvm1.example', 'dvmm')
  expect(nobody.status).toBe(1)
  expect(nobody.stderr).toContain('The VM "dvmm" is not present')
})
