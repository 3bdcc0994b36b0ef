// State files are planned on the page of states, and exactly what was seen is applied.
import { expectAccessible } from '../support/axe.ts'
import { expect, test } from '../support/fixtures.ts'
import type { Page } from '@playwright/test'

test.describe.configure({ mode: 'serial' })

const network = (range: string) => `
pagenet:
  virt.network_running:
    - bridge: pagebr0
    - forward: null
    - ipv4_config:
        cidr: 192.168.46.0/24
        dhcp_ranges:
          - {start: 192.168.46.10, end: ${range}}
    - autostart: False
`

async function plan(user: Page, url: string, sls: string) {
  await user.goto(`${url}/states`)
  await user.getByLabel('State files').fill(sls)
  await user.getByRole('button', { name: 'Plan', exact: true }).click()
  return user.getByRole('region', { name: 'Plan for kvm1.example' })
}

test('a plan touches nothing, and is then what happens', async ({ user, world }) => {
  world.state('page.sls', network('192.168.46.20'))
  const shown = await plan(user, world.salar.url, 'page')
  await expect(shown).toContainText('Define network pagenet')
  await expect(shown).toContainText('1 state · 1 to change')
  expect(await world.host.virsh('net-list', '--all', '--name')).not.toContain('pagenet')
  await shown.getByRole('button', { name: 'Show the difference' }).first().click()
  await expect(shown).toContainText("+ <network>")
  await expectAccessible(user, 'a plan')

  await shown.getByRole('button', { name: 'Apply this plan to kvm1.example' }).click()
  // The plan has the same words; this comes when it has been carried out.
  await expect(shown.getByRole('button', { name: 'Plan again' })).toBeVisible()
  await expect(shown).toContainText('Network pagenet defined and started')
  expect(await world.host.virsh('net-list', '--name')).toContain('pagenet')
  await shown.getByRole('button', { name: 'Plan again' }).click()
  await expect(user.getByRole('region', { name: 'Plan for kvm1.example' })).toContainText('nothing to do')
})

test('the address shows the plan again', async ({ user, world }) => {
  world.state('page.sls', network('192.168.46.30'))
  const shown = await plan(user, world.salar.url, 'page')
  await expect(shown).toContainText('1 to change')
  await user.reload()
  await expect(user.getByRole('region', { name: 'Plan for kvm1.example' })).toContainText('1 to change')
})

test('a plan is refused when the host has changed, and says what differs', async ({ user, world }) => {
  const shown = await plan(user, world.salar.url, 'page')
  await expect(shown).toContainText('1 to change')
  await world.host.virsh('net-destroy', 'pagenet')
  await world.host.virsh('net-undefine', 'pagenet')
  await shown.getByRole('button', { name: 'Apply this plan to kvm1.example' }).click()
  await expect(shown).toContainText('the plan no longer fits, so nothing was done')
  expect(await world.host.virsh('net-list', '--all', '--name')).not.toContain('pagenet')
})

test('every error of the state files is told', async ({ user, world }) => {
  world.state('wrong.sls', 'one:\n  virt.runing: []\ntwo:\n  virt.network_running:\n    - brigde: x\n')
  const shown = await plan(user, world.salar.url, 'wrong')
  await expect(shown).toContainText('virt.runing')
  await expect(shown).toContainText('brigde')
  await expectAccessible(user, 'errors of states')
})
