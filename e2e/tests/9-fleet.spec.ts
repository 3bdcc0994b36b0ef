// An agent of another machine, from its first word to its end, by an administrator with a browser.
import { join } from 'node:path'
import { expect, test } from '../support/fixtures.ts'
import { paths } from '../support/paths.ts'
import { Background } from '../support/process.ts'

test('a host joins, is accepted on the page, works, and is cut off', async ({ user, world }) => {
  const agent = new Background('the other agent', paths.salar(), [
    'agent',
    ...['--server', await world.salar.agentsAt()],
    ...['--state-dir', join(world.dir, 'other')],
    ...['--uri', 'test:///default'],
    ...['--id', 'other1.example'],
  ], join(world.dir, 'other.log'))
  try {
    const shown = await agent.prints(/key of this agent has the fingerprint (\S+)/)
    await user.goto(`${world.salar.url}/keys`)
    const key = user.getByRole('row', { name: /other1\.example/ })
    await expect(key).toContainText('Waits')
    await expect(key).toContainText(shown[1] ?? '')
    await key.getByRole('button', { name: 'Accept other1.example' }).click()
    await expect(key).toContainText('Accepted')

    await user.goto(`${world.salar.url}/hosts`)
    const host = user.getByRole('row', { name: /other1\.example/ })
    await expect(host).toContainText('Live', { timeout: 15_000 })
    const ping = await world.salar.cli('run', '-G', 'id:other1.example', 'test.ping', '--out', 'txt')
    expect(ping.stdout).toBe('other1.example: True\n')

    await user.goto(`${world.salar.url}/keys`)
    await key.getByRole('button', { name: 'Reject other1.example' }).click()
    await user.getByRole('dialog').getByRole('button', { name: 'Reject' }).click()
    await expect(key).toContainText('Rejected')
    await user.goto(`${world.salar.url}/hosts`)
    await expect(host).toContainText('Unreachable')
    // The agent says why it stays out.
    await agent.prints(/of other1\.example is rejected/)
  } finally {
    await agent.stop()
  }
})
