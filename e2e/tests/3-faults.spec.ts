// What goes wrong is said, costs nothing, and heals by itself.
import { expect, signIn, test } from '../support/fixtures.ts'
import { until } from '../support/process.ts'

const vm = (name: string, image: string, size = 64) => `
${name}-pool:
  virt.pool_running:
    - name: faults
    - ptype: dir
    - target: /var/lib/libvirt/faults
${name}:
  virt.running:
    - cpu: 1
    - mem: 64
    - disks:
      - {name: system, format: qcow2, image: '${image}', pool: faults, size: ${size}}
    - seed: False
    - require: [{virt: faults}]
after-${name}:
  virt.running:
    - name: after-${name}
    - cpu: 1
    - mem: 64
    - require: [{virt: ${name}}]
`

for (const [what, path, says] of [
  ['absent', 'nothing.qcow2', /404/],
  ['truncated', 'truncated.qcow2', /ended early|truncated|incomplete|of \d+ bytes/i],
  ['not an image', 'page.qcow2', /not (an? )?(qcow2 )?image|not an image/i],
] as const) {
  test(`an image that is ${what} fails its state, skips what needs it, and leaves nothing`, async ({ world }) => {
    const name = `bad-${what.replaceAll(' ', '-')}`
    world.state('bad.sls', vm(name, `${world.images.url}/${path}`))
    const done = await world.salar.call('state.apply', 'bad')
    expect(done.status).toBe(1)
    expect(done.stdout).toMatch(says)
    expect(done.stdout).toContain(`One or more requisite failed: bad.${name}`)
    expect(await world.host.virsh('list', '--all', '--name')).not.toContain(name)
    expect(await world.host.virsh('vol-list', 'faults')).not.toContain(name)
  })
}

test('a pool that is full fails the state and keeps no half volume', async ({ world }) => {
  await world.host.exec('mkdir', '-p', '/var/lib/libvirt/tiny')
  await world.host.exec('mount', '-t', 'tmpfs', '-o', 'size=4m', 'tiny', '/var/lib/libvirt/tiny')
  world.state('full.sls', vm('full', `${world.images.url}/guest.qcow2`).replaceAll('faults', 'tiny'))
  const done = await world.salar.call('state.apply', 'full')
  expect(done.status).toBe(1)
  expect(done.stdout).toMatch(/it needs .*, the pool has .* free/)
  expect(done.stdout).toContain('One or more requisite failed: full.full')
  expect(await world.host.virsh('vol-list', 'tiny')).not.toContain('full')
  expect(await world.host.virsh('list', '--all', '--name')).not.toContain('full')
})

test('a transfer that is cut is resumed', async ({ world }) => {
  world.images.cuts = 2
  world.images.requests.length = 0
  world.state('cut.sls', vm('cut', `${world.images.url}/cut/guest.qcow2`))
  const done = await world.salar.call('state.apply', 'cut')
  expect(done.status, done.stdout).toBe(0)
  const [first, ...resumed] = world.images.requests
  expect(first).toBe('whole')
  expect(resumed).toHaveLength(2)
  for (const range of resumed) expect(range).toMatch(/^bytes=[1-9]\d*-$/)
  await world.host.virsh('destroy', 'cut')
})

test('names that are attacks are refused, or shown as text', async ({ user, world }) => {
  for (const name of ['../../etc/passwd', '<script>alert(1)</script>', 'a"b', 'x'.repeat(300)]) {
    world.state('evil.sls', `evil:\n  virt.running:\n    - name: ${JSON.stringify(name)}\n    - cpu: 1\n    - mem: 64\n`)
    const done = await world.salar.call('state.apply', 'evil')
    expect(done.status, name).toBe(1)
    expect(done.stdout + done.stderr).toMatch(/name/)
  }
  expect(await world.host.virsh('list', '--all', '--name')).not.toMatch(/script|passwd|xxx/)
  await expect(user.getByRole('banner')).toBeVisible()
})

test('a broken state file names file, line, cause and remedy, and touches nothing', async ({ world }) => {
  for (const [text, says] of [
    ['a:\n  virt.running:\n    - name: [\n', /broken\.sls/],
    ['a:\n  virt.running:\n    - mem: {{ 1 +\n', /line 3/],
    ['a:\n  virt.runing:\n    - mem: 64\n', /virt\.running/],
    ['a:\n  virt.running:\n    - memm: 64\n', /mem/],
    ['a:\n  virt.running:\n    - require: [{virt: nobody}]\n', /nobody/],
    ['a:\n  virt.running:\n    - require: [{virt: b}]\nb:\n  virt.running:\n    - require: [{virt: a}]\n', /[Rr]ecursive/],
    ['a:\n  virt.running: []\na:\n  virt.running: []\n', /'a'/],
  ] as const) {
    world.state('broken.sls', text)
    const done = await world.salar.call('state.apply', 'broken')
    expect(done.status, text).toBe(1)
    expect(done.stdout + done.stderr, text).toMatch(says)
  }
})

test('libvirtd is killed and comes back: everything is true again within five seconds', async ({ user, world }) => {
  await expect(user.getByRole('row', { name: /before-us/ })).toContainText('Shut off')
  await world.host.killDaemon()
  await until('the host is told to be without libvirt', 30, async () => {
    const hosts = await world.salar.get<{ items: { freshness: string }[] }>('/api/v1/hosts')
    return hosts.items[0]?.freshness === 'libvirt_down' ? true : undefined
  })
  // The server goes on serving what it knows.
  await user.reload()
  await expect(user.getByRole('row', { name: /before-us/ })).toBeVisible()
  const refused = await world.salar.call('virt.list_domains')
  expect(refused.status).toBe(1)
  expect(refused.stdout + refused.stderr).toMatch(/libvirt/)

  await world.host.startDaemon()
  const back = Date.now()
  await until('the host is live again', 15, async () => {
    const hosts = await world.salar.get<{ items: { freshness: string }[] }>('/api/v1/hosts')
    return hosts.items[0]?.freshness === 'live' ? true : undefined
  })
  await world.host.virsh('start', 'before-us')
  await expect(user.getByRole('row', { name: /before-us/ })).toContainText('Running', { timeout: 3_000 })
  expect(Date.now() - back).toBeLessThan(5_000)
  await world.host.virsh('destroy', 'before-us')
})

test('a libvirtd that hangs delays no page', async ({ user, world }) => {
  await world.host.stopDaemon()
  try {
    const start = Date.now()
    await user.reload()
    await expect(user.getByRole('row', { name: /before-us/ })).toBeVisible()
    expect(Date.now() - start).toBeLessThan(5_000)
    await until('the host is told to hang', 60, async () => {
      const hosts = await world.salar.get<{ items: { freshness: string; problem: string | null }[] }>('/api/v1/hosts')
      return hosts.items[0]?.freshness === 'libvirt_down' ? true : undefined
    })
  } finally {
    await world.host.contDaemon()
  }
  await until('the host is live again', 30, async () => {
    const hosts = await world.salar.get<{ items: { freshness: string }[] }>('/api/v1/hosts')
    return hosts.items[0]?.freshness === 'live' ? true : undefined
  })
})

test('a wrong password gets one answer, whoever it is', async ({ page, world }) => {
  await page.goto(`${world.salar.url}/login`)
  const said: string[] = []
  for (const name of ['admin', 'nobody-of-that-name']) {
    await page.getByLabel('User name').fill(name)
    await page.getByRole('textbox', { name: 'Password' }).fill('not the password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    const alert = page.getByRole('alert').or(page.locator('[aria-live="assertive"]')).first()
    await expect(alert).toBeVisible()
    said.push(await alert.innerText())
    await page.reload()
  }
  expect(said[0]).toBe(said[1])
  await signIn(page, world.salar)
})
