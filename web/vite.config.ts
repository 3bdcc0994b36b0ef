import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { fontPreload } from './build/fontPreload.ts'
import { patternflyModules } from './build/patternflyModules.ts'
import { themeScript } from './build/themeScript.ts'

const server = process.env.SALAR_URL ?? 'http://127.0.0.1:8400'

export default defineConfig({
  plugins: [react(), themeScript(), fontPreload(), process.env.VITEST ? patternflyModules() : undefined],
  server: { proxy: { '/api': { target: server, ws: true } } },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    manifest: true,
  },
  test: {
    environment: 'jsdom',
    css: false,
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/test/setup.ts'],
    server: { deps: { inline: [/@patternfly/] } },
  },
})
