import type { Plugin } from 'vite'

/** The two upright variable fonts of every page. */
const wanted = ['RedHatTextVF.woff2', 'RedHatDisplayVF.woff2']

/** Lets the browser fetch the fonts before it has read the style sheet that names them. */
export function fontPreload(): Plugin {
  return {
    name: 'salar-font-preload',
    transformIndexHtml: {
      order: 'post',
      handler(_html, context) {
        return Object.values(context.bundle ?? {})
          .filter((file) => file.type === 'asset' && file.names.some((name) => wanted.includes(name)))
          .map((file) => ({
            tag: 'link',
            attrs: {
              rel: 'preload',
              as: 'font',
              type: 'font/woff2',
              href: `/${file.fileName}`,
              crossorigin: '',
            },
            injectTo: 'head' as const,
          }))
      },
    },
  }
}
