// Checks the gzip sizes of the build against the budgets, and prints them. A route's size is that of its chunk and
// of everything it imports statically.
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const dist = new URL('../dist/', import.meta.url).pathname
const manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'))
const entry = Object.keys(manifest).find((key) => manifest[key].isEntry && key.endsWith('.html'))

const gzipSize = (file) => statSync(join(dist, `${file}.gz`)).size
const kB = (bytes) => Math.round(bytes / 100) / 10

function filesOf(keys, seen = new Set()) {
  for (const key of keys) {
    if (seen.has(key) || manifest[key] === undefined) continue
    seen.add(key)
    filesOf(manifest[key].imports ?? [], seen)
  }
  return seen
}

const keysOf = (source) => filesOf([entry, source])
const scripts = (keys) => [...keys].reduce((sum, key) => sum + gzipSize(manifest[key].file), 0)
const styles = (keys) => {
  const files = new Set([...keys].flatMap((key) => manifest[key].css ?? []))
  return [...files].reduce((sum, file) => sum + gzipSize(file), 0)
}
/** What a lazy part adds to a page that is already there. */
const added = (source, ...pages) => {
  const there = new Set(pages.flatMap((page) => [...keysOf(page)]))
  return [...filesOf([source])]
    .filter((key) => !there.has(key))
    .reduce((sum, key) => sum + gzipSize(manifest[key].file), 0)
}

const vms = 'src/pages/vms/VmsPage.tsx'
const vm = 'src/pages/vms/VmPage.tsx'
const fonts = readdirSync(join(dist, 'assets')).filter((name) =>
  /^RedHat(Text|Display)VF-(?!Italic).*\.woff2$/.test(name),
)
const fontSize = fonts.reduce((sum, name) => sum + statSync(join(dist, 'assets', name)).size, 0)

const checks = [
  ['script of /vms, gzip', scripts(keysOf(vms)), 270_000],
  ['style of /vms, gzip', styles(keysOf(vms)), 105_000],
  ['editor, gzip', added('src/parts/XmlView.tsx', vm), 160_000],
  [
    'graphical console, gzip',
    added('src/pages/vms/console/Screen.tsx', vm, 'src/pages/vms/console/ConsoleTab.tsx'),
    60_000,
  ],
  [`fonts (${fonts.length} files)`, fontSize, 85_000],
]

let failed = fonts.length > 2
for (const [what, size, budget] of checks) {
  const over = size > budget
  failed ||= over
  console.log(
    `${over ? 'OVER' : 'ok  '}  ${what.padEnd(28)} ${String(kB(size)).padStart(7)} kB of ${kB(budget)} kB`,
  )
}
for (const key of Object.keys(manifest).filter((name) => /^src\/pages\/.*Page\.tsx$/.test(name))) {
  console.log(`      ${key.padEnd(40)} ${String(kB(scripts(keysOf(key)))).padStart(7)} kB script, gzip`)
}
if (failed) process.exit(1)
