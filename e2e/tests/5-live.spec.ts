// The pages stay live over a restart of the server, and over more tabs than a browser has connections.
import { expect, signIn, test } from '../support/fixtures.ts'

test('seven tabs at once are all live', async ({ user, context, world }) => {
  const tabs = [user]
  for (let i = 1; i < 7; i++) {
    const tab = await context.newPage()
    await tab.goto(`${world.salar.url}/vms`)
    tabs.push(tab)
  }
  for (const tab of tabs) await expect(tab.getByRole('row', { name: /before-us/ })).toContainText('Shut off')
  await world.host.virsh('start', 'before-us')
  for (const tab of tabs) await expect(tab.getByRole('row', { name: /before-us/ })).toContainText('Running')
  await world.host.virsh('destroy', 'before-us')
  for (const tab of tabs) await expect(tab.getByRole('row', { name: /before-us/ })).toContainText('Shut off')
})

test('filter, sort and selection are in the address, and survive a reload', async ({ user, world }) => {
  await user.goto(`${world.salar.url}/vms?status=shutoff&sort=-name`)
  await expect(user.getByRole('row', { name: /before-us/ })).toBeVisible()
  await user.reload()
  await expect(user).toHaveURL(/status=shutoff/)
  await expect(user).toHaveURL(/sort=-name/)
  await expect(user.getByRole('row', { name: /before-us/ })).toBeVisible()
})

test('no one gets in without signing in', async ({ page, world }) => {
  for (const path of ['/api/v1/vms', '/api/v1/hosts', '/api/v1/events', '/api/v1/users']) {
    const answer = await page.request.get(world.salar.url + path)
    expect(answer.status(), path).toBe(401)
  }
  await page.goto(`${world.salar.url}/storage`)
  await expect(page).toHaveURL(/\/login/)
  await signIn(page, world.salar, '/storage')
  await expect(page).toHaveURL(/\/storage/)
})
