import { readFileSync } from 'node:fs'
import type { Plugin } from 'vite'

const source = new URL('../src/app/theme-before-paint.js', import.meta.url)

/**
 * Puts the script that sets the theme before the first paint into the head, as a file of its own:
 * the content security policy forbids inline scripts, and a module would run too late.
 */
export function themeScript(): Plugin {
  let reference: string | undefined
  let serving = false
  const devPath = '/theme-before-paint.js'
  return {
    name: 'salar-theme-script',
    configResolved(config) {
      serving = config.command === 'serve'
    },
    configureServer(server) {
      server.middlewares.use(devPath, (_request, response) => {
        response.setHeader('content-type', 'text/javascript')
        response.end(readFileSync(source))
      })
    },
    buildStart() {
      if (!serving) {
        reference = this.emitFile({ type: 'asset', name: 'theme.js', source: readFileSync(source) })
      }
    },
    transformIndexHtml: {
      order: 'post',
      handler(_html, context) {
        const emitted = Object.values(context.bundle ?? {}).find(
          (file) => file.type === 'asset' && file.names.includes('theme.js'),
        )
        const src = reference && emitted ? `/${emitted.fileName}` : devPath
        return [{ tag: 'script', attrs: { src }, injectTo: 'head-prepend' }]
      },
    },
  }
}
