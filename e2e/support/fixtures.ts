// The world of a test: a real host, an image server, a Salar server, and a browser that is watched.
import { test as base, expect, type Page } from '@playwright/test'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Host } from './host.ts'
import { ImageServer } from './images.ts'
import { newFolder, paths } from './paths.ts'
import { Salar } from './salar.ts'

export interface World {
  dir: string
  host: Host
  images: ImageServer
  salar: Salar
  /** Folder of the state files. */
  fileRoot: string
  /** Writes a state file. */
  state(name: string, text: string): void
}

/** The example's state file with its image at `imageUrl`; nothing else of it is changed. */
export function exampleState(imageUrl: string): string {
  const text = readFileSync(paths.example(), 'utf8')
  const changed = text.replace(/^(\s*image:\s*)\S+$/m, `$1${imageUrl}`)
  if (changed === text) throw new Error('examples/origin/vm.sls has no image line to point at the test server')
  return changed
}

/** A VM that is on the host before Salar is: Salar must show what it did not make. */
const BEFORE_US = `<domain type='qemu'><name>before-us</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type arch='x86_64'>hvm</type></os><devices><graphics type='vnc' autoport='yes'/></devices></domain>`
const OLD_POOL = `<pool type='dir'><name>old-pool</name><target><path>/var/lib/libvirt/images</path></target></pool>`
const OLD_NET = `<network><name>old-net</name><ip address='192.168.77.1' prefix='24'/></network>`

async function createWorld(): Promise<World> {
  const dir = newFolder('salar')
  const fileRoot = join(dir, 'srv')
  mkdirSync(fileRoot)
  const host = await Host.up(join(dir, 'h'), join(dir, 'nfs.ext4'))
  const state = (name: string, text: string) => writeFileSync(join(fileRoot, name), text)
  for (const [kind, xml] of [['define', BEFORE_US], ['pool-define', OLD_POOL], ['net-define', OLD_NET]] as const) {
    writeFileSync(join(dir, `${kind}.xml`), xml)
    await host.virsh(kind, join(dir, `${kind}.xml`))
  }
  const images = await ImageServer.start(paths.guestImage())
  state('vm.sls', exampleState(`${images.url}/guest.qcow2`))
  const stateDir = join(dir, 's')
  mkdirSync(stateDir)
  const salar = await Salar.serve({ stateDir, hypervisor: await host.uri(), fileRoot })
  return { dir, host, images, salar, fileRoot, state }
}

async function endWorld(world: World): Promise<void> {
  await world.salar.stop()
  await world.images.stop()
  await world.host.down()
  if (!process.env.SALAR_KEEP) rmSync(world.dir, { recursive: true, force: true })
}

/** Fails on console errors, on reports of the content security policy, and on requests to anybody else. */
function watch(page: Page, origin: string): string[] {
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`))
  page.on('console', (message) => {
    // A refused sign-in and a server that is down are logged by the browser itself, and are tests of ours.
    const expected = /status of (401|409|429|503)|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|net::ERR_/.test(message.text())
    if (message.type() === 'error' && !expected) faults.push(`console: ${message.text()}`)
  })
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (/^(https?|wss?):$/.test(url.protocol) && url.host !== new URL(origin).host) faults.push(`foreign request: ${request.url()}`)
  })
  return faults
}

export async function signIn(page: Page, salar: Salar, path = '/vms'): Promise<void> {
  await page.goto(salar.url + path)
  await page.getByLabel('User name').fill('admin')
  await page.getByRole('textbox', { name: 'Password' }).fill(salar.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('banner')).toBeVisible()
}

export const test = base.extend<{ user: Page }, { world: World }>({
  world: [
    async ({}, use) => {
      const world = await createWorld()
      await use(world)
      await endWorld(world)
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  /** A browser page of a signed-in administrator. */
  user: async ({ page, world }, use) => {
    const faults = watch(page, world.salar.url)
    await signIn(page, world.salar)
    await use(page)
    expect(faults).toEqual([])
  },
})

export { expect }
