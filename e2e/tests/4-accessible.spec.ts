// Every page, light and dark, wide and narrow, without a violation of WCAG 2.2 AA.
import { expectAccessible } from '../support/axe.ts'
import { expect, test } from '../support/fixtures.ts'

const PAGES = ['/', '/vms', '/hosts', '/storage', '/networks', '/states', '/tasks', '/keys', '/about']

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1440, 390]) {
    test(`${scheme}, ${width} px`, async ({ user, world }) => {
      await user.emulateMedia({ colorScheme: scheme })
      await user.setViewportSize({ width, height: 900 })
      for (const path of PAGES) {
        await user.goto(world.salar.url + path)
        await expect(user.getByRole('heading', { level: 1 })).toBeVisible()
        await expectAccessible(user, path)
        const overflow = await user.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
        expect(overflow, `${path} scrolls sideways`).toBeLessThanOrEqual(0)
      }
      await user.goto(`${world.salar.url}/vms`)
      await user.getByRole('link', { name: 'before-us' }).click()
      await user.getByRole('link', { name: 'kvm1.example' }).first().click()
      await expect(user.getByRole('heading', { level: 1, name: 'kvm1.example' })).toBeVisible()
      await expectAccessible(user, 'host')
      await user.goBack()
      for (const tab of ['Overview', 'Console', 'XML']) {
        await user.getByRole('navigation', { name: 'Parts of the virtual machine' }).getByRole('link', { name: tab }).click()
        await expectAccessible(user, `VM, ${tab}`)
      }
    })
  }
}

test('the sign-in page', async ({ page, world }) => {
  await page.goto(`${world.salar.url}/login`)
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible()
  await expectAccessible(page, '/login')
})
