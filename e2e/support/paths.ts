// Where things are. The test script says; nothing is guessed from the machine.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

function told(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set; start these tests with e2e/run`)
  return value
}

export const paths = {
  salar: () => join(told('SALAR_BIN_DIR'), 'salar'),
  guestImage: () => told('SALAR_GUEST_IMAGE'),
  testHost: () => join(ROOT, 'lab', 'test-host'),
  testLibvirtd: () => join(ROOT, 'lab', 'test-libvirtd'),
  example: () => join(ROOT, 'examples', 'origin', 'vm.sls'),
}

/** A new folder for one test world. Short, because a Unix socket's path ends at 107 bytes. */
export function newFolder(purpose: string): string {
  return mkdtempSync(join(process.env.SALAR_TEST_DIR ?? tmpdir(), `${purpose}-`))
}
