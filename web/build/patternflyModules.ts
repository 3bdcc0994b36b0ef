import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../node_modules/@patternfly/react-core')
const statement = /import\s*\{([^}]*)\}\s*from\s*['"]@patternfly\/react-core['"];?/g

/**
 * For unit tests: replaces an import from the whole of `@patternfly/react-core` by imports of the modules
 * that hold the named components, by the package's own table. The whole costs seconds for every test file.
 */
export function patternflyModules(): Plugin {
  const table: Record<string, string> = JSON.parse(
    readFileSync(resolve(root, 'dist/dynamic-modules.json'), 'utf8'),
  )
  const importOf = (name: string): string => {
    const imported = name.split(/\s+as\s+/)[0] ?? name
    const folder = table[imported]?.replace('dist/dynamic/', 'dist/esm/')
    if (folder === undefined) throw new Error(`@patternfly/react-core has no ${imported}`)
    return `import { ${name} } from '${resolve(root, folder)}/index.js'`
  }
  return {
    name: 'salar-patternfly-modules',
    enforce: 'pre',
    transform(code, id) {
      if (id.includes('node_modules') || !code.includes('@patternfly/react-core')) return undefined
      return code.replace(statement, (_all, names: string) =>
        names
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== '' && !name.startsWith('type '))
          .map(importOf)
          .join(';'),
      )
    },
  }
}
