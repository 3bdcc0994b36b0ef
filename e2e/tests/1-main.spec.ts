// The main job: from a host that others have used, to the example's network, pool and VM, live in the browser.
import { expect, test } from '../support/fixtures.ts'
import { until } from '../support/process.ts'

test.describe.configure({ mode: 'serial' })

test('what was on the host before is shown', async ({ user, world }) => {
  await expect(user.getByRole('row', { name: /before-us/ })).toContainText('Shut off')
  await user.goto(`${world.salar.url}/storage`)
  await expect(user.getByRole('row', { name: /old-pool/ })).toBeVisible()
  await user.goto(`${world.salar.url}/networks`)
  await expect(user.getByRole('row', { name: /old-net/ })).toBeVisible()
  await user.goto(`${world.salar.url}/hosts`)
  await expect(user.getByRole('row', { name: /kvm1\.example/ })).toContainText('QEMU')
})

test('a plan touches nothing', async ({ world }) => {
  const plan = await world.salar.call('state.apply', 'vm', 'test=True')
  expect(plan.status, plan.stderr).toBe(0)
  expect(plan.stdout).toContain('Comment: Domain srv01 defined and started')
  expect(plan.stdout.match(/Result: None/g)).toHaveLength(3)
  expect(await world.host.virsh('list', '--all', '--name')).not.toContain('srv01')
  expect(await world.host.virsh('pool-list', '--all', '--name')).not.toContain('pool0')
  expect(await world.host.virsh('net-list', '--all', '--name')).not.toContain('net0')
})

test('the state file is applied, and the browser shows it as it happens', async ({ user, world, context }) => {
  const networks = await context.newPage()
  await networks.goto(`${world.salar.url}/networks`)
  const storage = await context.newPage()
  await storage.goto(`${world.salar.url}/storage`)

  const applied = await world.salar.cli('run', 'kvm1*', 'state.apply', 'vm')
  expect(applied.status, applied.stdout + applied.stderr).toBe(0)
  expect(applied.stdout).toContain('Comment: Pool pool0 defined, marked for autostart, started')
  expect(applied.stdout).toContain('Comment: Network net0 defined, marked for autostart and started')
  expect(applied.stdout).toContain('Comment: Domain srv01 defined and started')
  expect(applied.stdout).toMatch(/Succeeded: 3 \(changed=3\)/)

  await expect(user.getByRole('row', { name: /srv01/ })).toContainText('Running', { timeout: 2_000 })
  await expect(storage.getByRole('row', { name: /pool0/ })).toContainText('netfs')
  await expect(networks.getByRole('row', { name: /net0/ })).toContainText('192.168.44.1/24')
})

test('the guest boots and gets its address from the network of the state', async ({ user, world }) => {
  const address = await world.host.lease('net0', '2a:c3:a7:a6:01:04', 150)
  const last = Number(address.replace('192.168.44.', ''))
  expect(last).toBeGreaterThanOrEqual(10)
  expect(last).toBeLessThanOrEqual(25)
  await expect(user.getByRole('row', { name: /srv01/ })).toContainText(address, { timeout: 20_000 })
})

test('the disk is the image, grown to the size of the state', async ({ world }) => {
  const info = await world.host.virsh('vol-info', '--bytes', '--pool', 'pool0', 'srv01_system')
  expect(info).toMatch(/Capacity:\s+128849018880 bytes/)
})

test('applying again changes nothing', async ({ world }) => {
  const before = await world.host.virsh('dumpxml', '--inactive', 'srv01')
  const again = await world.salar.call('state.apply', 'vm')
  expect(again.status, again.stdout).toBe(0)
  expect(again.stdout).toContain('Comment: Pool pool0 already running')
  expect(again.stdout).toContain('Comment: Network net0 unchanged and is running')
  expect(again.stdout).toContain('Comment: Domain srv01 exists and is running')
  expect(again.stdout).toMatch(/Succeeded: 3\n/)
  expect(await world.host.virsh('dumpxml', '--inactive', 'srv01')).toBe(before)
})

test('the console shows the guest', async ({ user }) => {
  await user.getByRole('link', { name: 'srv01' }).click()
  await user.getByRole('navigation', { name: 'Parts of the virtual machine' }).getByRole('link', { name: 'Console' }).click()
  const canvas = user.locator('canvas').first()
  await expect(canvas).toBeVisible()
  await expect
    .poll(async () => canvas.evaluate((element) => {
      const picture = element as HTMLCanvasElement
      const pixels = picture.getContext('2d')?.getImageData(0, 0, picture.width, picture.height).data ?? new Uint8ClampedArray()
      return new Set(Array.from({ length: pixels.length / 4 }, (_, i) => `${pixels[4 * i]},${pixels[4 * i + 1]},${pixels[4 * i + 2]}`)).size
    }), { timeout: 30_000 })
    .toBeGreaterThan(1)
})

test('virsh destroy is on the page at once', async ({ user, world }) => {
  const row = user.getByRole('row', { name: /srv01/ })
  await expect(row).toContainText('Running')
  await world.host.virsh('destroy', 'srv01')
  await expect(row).toContainText('Shut off', { timeout: 1_000 })
})

test('the page starts it again, and force off asks first', async ({ user, world }) => {
  await user.getByRole('link', { name: 'srv01' }).click()
  await user.getByRole('button', { name: 'Start', exact: true }).click()
  await until('libvirt says running', 20, async () => ((await world.host.virsh('domstate', 'srv01')).includes('running') ? true : undefined))
  await expect(user.getByRole('heading', { name: /srv01/ })).toBeVisible()

  await user.getByRole('button', { name: 'Power', exact: true }).click()
  await user.getByRole('menuitem', { name: 'Force off' }).click()
  const dialog = user.getByRole('dialog')
  await expect(dialog).toContainText('srv01')
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
  await dialog.getByRole('button', { name: 'Force off' }).click()
  await until('libvirt says shut off', 20, async () => ((await world.host.virsh('domstate', 'srv01')).includes('shut off') ? true : undefined))
})

test('the command line sees and does the same', async ({ world }) => {
  const list = await world.salar.cli('vm', 'list')
  expect(list.status, list.stderr).toBe(0)
  expect(list.stdout).toMatch(/srv01\s+.*shutoff|srv01\s+.*shut off/i)
  const started = await world.salar.cli('vm', 'start', 'srv01')
  expect(started.status, started.stderr).toBe(0)
  expect(await world.host.virsh('domstate', 'srv01')).toContain('running')
  const missing = await world.salar.cli('vm', 'start', 'srv0l')
  expect(missing.status).toBe(1)
  expect(missing.stderr).toContain('srv0l')
})
