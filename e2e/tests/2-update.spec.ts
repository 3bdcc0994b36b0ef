// Changing the description changes what is there, in place; what Salar does not know survives.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '../support/fixtures.ts'

test.describe.configure({ mode: 'serial' })

const small = (more: { mem: number; cpu: number; disks?: string; nics?: string }) => `
box:
  virt.running:
    - name: box
    - cpu: ${more.cpu}
    - mem: ${more.mem}
    - disks:
      - name: system
        format: qcow2
        pool: boxes
        size: 64
${more.disks ?? ''}
    - interfaces:
      - name: eth0
        type: network
        source: boxnet
        mac: '52:54:00:AA:00:01'
${more.nics ?? ''}
    - graphics: {type: vnc}
    - seed: False
    - require:
      - virt: boxes
      - virt: boxnet
`
const around = (range: string, dns = '') => `
boxes:
  virt.pool_running:
    - ptype: dir
    - target: /var/lib/libvirt/boxes
    - autostart: False
boxnet:
  virt.network_running:
    - bridge: boxbr0
    - forward: nat
    - ipv4_config:
        cidr: 192.168.45.0/24
        dhcp_ranges:
          - {start: 192.168.45.10, end: ${range}}
${dns}
`

test('a VM, a pool and a network are made', async ({ world }) => {
  world.state('box.sls', around('192.168.45.20') + small({ mem: 96, cpu: 1 }))
  const done = await world.salar.call('state.apply', 'box')
  expect(done.status, done.stdout + done.stderr).toBe(0)
  expect(await world.host.virsh('domstate', 'box')).toContain('running')
})

test('elements that Salar does not model survive a change of memory and CPU', async ({ world }) => {
  await world.host.virsh('destroy', 'box')
  const before = await world.host.virsh('dumpxml', '--inactive', 'box')
  const odd = before
    .replace('</name>', `</name>\n  <metadata>\n    <team:note xmlns:team='urn:example:team' kept='yes'>do <b>not</b> lose</team:note>\n  </metadata>`)
    .replace('</devices>', `  <watchdog model='i6300esb' action='none'/>\n    <rng model='virtio'>\n      <backend model='random'>/dev/urandom</backend>\n    </rng>\n  </devices>`)
  const file = join(world.dir, 'odd.xml')
  writeFileSync(file, odd)
  await world.host.virsh('define', file)
  const unknown = await world.host.virsh('dumpxml', '--inactive', 'box')
  expect(unknown).toContain('team:note')

  world.state('box.sls', around('192.168.45.20') + small({ mem: 128, cpu: 2 }))
  const done = await world.salar.call('state.apply', 'box')
  expect(done.status, done.stdout).toBe(0)
  const after = await world.host.virsh('dumpxml', '--inactive', 'box')
  const expected = unknown
    .replace(/<memory unit='KiB'>\d+/, `<memory unit='KiB'>${128 * 1024}`)
    .replace(/<currentMemory unit='KiB'>\d+/, `<currentMemory unit='KiB'>${128 * 1024}`)
    .replace(/<vcpu placement='static'>1</, `<vcpu placement='static'>2<`)
  expect(after).toBe(expected)
})

test('a disk and a NIC are added to the running VM', async ({ world }) => {
  const disks = `      - {name: data, format: qcow2, pool: boxes, size: 16}`
  const nics = `      - {name: eth1, type: network, source: boxnet, mac: '52:54:00:AA:00:02'}`
  world.state('box.sls', around('192.168.45.20') + small({ mem: 128, cpu: 2, disks, nics }))
  const done = await world.salar.call('state.apply', 'box')
  expect(done.status, done.stdout).toBe(0)
  expect(await world.host.virsh('domblklist', 'box')).toContain('vdb')
  expect((await world.host.virsh('domiflist', 'box')).toLowerCase()).toContain('52:54:00:aa:00:02')
  const again = await world.salar.call('state.apply', 'box')
  expect(again.stdout).toContain('Comment: Domain box exists and is running')
})

test('a wider DHCP range reaches the running network in place', async ({ world }) => {
  const before = await world.host.virsh('net-info', 'boxnet')
  world.state('net.sls', around('192.168.45.40'))
  const done = await world.salar.call('state.apply', 'net')
  expect(done.status, done.stdout).toBe(0)
  expect(done.stdout).toContain('Network boxnet updated')
  expect(await world.host.virsh('net-dumpxml', 'boxnet')).toContain("end='192.168.45.40'")
  expect(await world.host.virsh('net-dumpxml', '--inactive', 'boxnet')).toContain("end='192.168.45.40'")
  expect(await world.host.virsh('net-info', 'boxnet')).toBe(before)
  const again = await world.salar.call('state.apply', 'net')
  expect(again.stdout).toContain('Comment: Network boxnet unchanged and is running')
})

test('a pool that a VM uses is not restarted for a change of its description', async ({ world }) => {
  world.state('pool.sls', around('192.168.45.40').replace('autostart: False', `autostart: True\n    - permissions: {mode: '0750'}`))
  const done = await world.salar.call('state.apply', 'pool')
  expect(done.status, done.stdout).toBe(0)
  expect(await world.host.virsh('pool-info', 'boxes')).toMatch(/State:\s+running/)
  expect(await world.host.virsh('domstate', 'box')).toContain('running')
  expect(await world.host.virsh('pool-dumpxml', '--inactive', 'boxes')).toContain('<mode>0750</mode>')
})
