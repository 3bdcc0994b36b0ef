// Shows the list of VMs in a browser, and prints the text of the row that has the given words whenever it changes.
//
//   node e2e/support/watch-row.mjs URL USER PASSWORD WORD...      ends when it is killed

import { chromium } from '@playwright/test'

const [url, user, password, ...words] = process.argv.slice(2)
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
})
const page = await browser.newPage()
await page.goto(`${url}/vms`)
await page.getByLabel('User name').fill(user)
await page.getByRole('textbox', { name: 'Password' }).fill(password)
await page.getByRole('button', { name: 'Sign in' }).click()
let row = page.getByRole('row')
for (const word of words) row = row.filter({ hasText: word })
let shown = ''
for (;;) {
  const text = (await row.first().innerText({ timeout: 30_000 })).replace(/\s+/g, ' ')
  if (text !== shown) console.log((shown = text))
  await new Promise((done) => setTimeout(done, 20))
}
