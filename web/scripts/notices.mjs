// Writes the licence notices of everything that is in the built page: `notices.json` for the About page,
// `notices.txt` with the full texts. What is in the page are the production dependencies, so all of them are named.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const web = new URL('..', import.meta.url).pathname
const read = (path) => JSON.parse(readFileSync(path, 'utf8'))
const lock = read(join(web, 'package-lock.json'))

const licenceFiles = (folder) =>
  readdirSync(folder).filter(
    (name) => /^(licen[cs]e|copying|notice)/i.test(name) && !/\.(js|ts|map)$/.test(name),
  )

const notices = Object.entries(lock.packages)
  .filter(([path, entry]) => path.startsWith('node_modules/') && !entry.dev && !entry.optional && !entry.peer)
  .map(([path]) => {
    const folder = join(web, path)
    const manifest = read(join(folder, 'package.json'))
    const texts = licenceFiles(folder).map((name) => readFileSync(join(folder, name), 'utf8').trim())
    const source = manifest.repository?.url ?? manifest.repository ?? manifest.homepage ?? ''
    return {
      name: manifest.name,
      version: manifest.version,
      licence:
        typeof manifest.license === 'string' ? manifest.license : (manifest.license?.type ?? 'see text'),
      source: String(source)
        .replace(/^git\+/, '')
        .replace(/\.git$/, ''),
      texts,
    }
  })

// Fonts and icons come inside PatternFly's package under licences of their own.
notices.push(
  {
    name: 'Red Hat fonts (Text, Display, Mono)',
    version: '',
    licence: 'OFL-1.1',
    source: 'https://github.com/RedHatOfficial/RedHatFont',
    texts: [],
  },
  {
    name: 'Font Awesome Free icons',
    version: '',
    licence: 'CC-BY-4.0',
    source: 'https://fontawesome.com',
    texts: [],
  },
)
notices.sort((one, other) => one.name.localeCompare(other.name))

const missing = notices.filter((notice) => notice.licence === 'see text' && notice.texts.length === 0)
if (missing.length > 0)
  throw new Error(`no licence known for ${missing.map((notice) => notice.name).join(', ')}`)

const line = '-'.repeat(78)
const full = notices.map(({ name, version, licence, source, texts }) =>
  [`${name} ${version}`.trim(), `Licence: ${licence}`, source && `Source: ${source}`, '', ...texts]
    .filter((part) => part !== false)
    .join('\n'),
)
writeFileSync(
  join(web, 'dist/notices.json'),
  JSON.stringify(notices.map(({ name, version, licence }) => ({ name, version, licence }))),
)
writeFileSync(join(web, 'dist/notices.txt'), `${full.join(`\n\n${line}\n\n`)}\n`)
console.log(`named ${notices.length} parts`)
