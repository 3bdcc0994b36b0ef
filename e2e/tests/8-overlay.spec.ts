// Disks that stand on an image which is fetched once.
import { expect, test } from '../support/fixtures.ts'

test.describe.configure({ mode: 'serial' })

const vm = (name: string, url: string) => `
${name}:
  virt.running:
    - cpu: 1
    - mem: 96
    - disks: [{name: system, format: qcow2, pool: overlays, image: '${url}', overlay_image: True, size: 64}]
    - graphics: {type: vnc}
    - require: [{virt: overlays}]
`
const pool = '\noverlays:\n  virt.pool_running: [ptype: dir, target: /var/lib/libvirt/overlays, autostart: False]\n'

test('two VMs boot from one image', async ({ world }) => {
  const url = `${world.images.url}/guest.qcow2`
  world.state('overlay.sls', pool + vm('over1', url) + vm('over2', url))
  const applied = await world.salar.call('state.apply', 'overlay')
  expect(applied.status, applied.stdout + applied.stderr).toBe(0)
  const volumes = (await world.host.virsh('vol-list', 'overlays')).match(/^ \S+/gm)?.map((name) => name.trim()) ?? []
  const base = volumes.filter((name) => name.startsWith('base-'))
  expect(base, volumes.join(' ')).toHaveLength(1)
  for (const name of ['over1', 'over2']) {
    expect(await world.host.virsh('domstate', name)).toContain('running')
    const xml = await world.host.virsh('vol-dumpxml', '--pool', 'overlays', `${name}_system`)
    expect(xml).toContain(`<path>/var/lib/libvirt/overlays/${base[0]}</path>`)
  }
  const again = await world.salar.call('state.apply', 'overlay', '--out', 'json')
  const results: { changes: object }[] = Object.values(JSON.parse(again.stdout).local)
  expect(results.map((result) => result.changes)).toEqual([{}, {}, {}])
})

test('the image stays when a VM goes with its disk', async ({ world }) => {
  world.state('gone.sls', 'over1:\n  virt.absent: [force: True, delete_disks: True]\n')
  const gone = await world.salar.call('state.apply', 'gone')
  expect(gone.status, gone.stdout).toBe(0)
  const volumes = await world.host.virsh('vol-list', 'overlays')
  expect(volumes).toContain('base-')
  expect(volumes).not.toContain('over1_system')
  expect(await world.host.virsh('domstate', 'over2')).toContain('running')
})
