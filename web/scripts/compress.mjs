// Writes `.br` and `.gz` beside each text file of the build, with Node's own zlib. Browsers offer brotli only over
// https and on localhost, so gzip has to be there too.
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const dist = new URL('../dist/', import.meta.url).pathname
const text = /\.(html|js|css|svg|json|txt|map)$/

const files = (await readdir(dist, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && text.test(entry.name))
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  // The bundler's own notes are not served.
  .filter((file) => !file.includes('/.vite/'))

for (const file of files) {
  const body = await readFile(file)
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    }),
    promisify(gzip)(body, { level: 9 }),
  ])
  await Promise.all([writeFile(`${file}.br`, br), writeFile(`${file}.gz`, gz)])
}
console.log(`compressed ${files.length} files`)
