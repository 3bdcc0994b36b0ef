/** Choices of the person that this browser keeps: theme, density, single-letter shortcuts. */
import { useSyncExternalStore } from 'react'

export type Theme = 'system' | 'light' | 'dark'
export type Density = 'compact' | 'comfortable'

export interface Settings {
  theme: Theme
  density: Density
  /** Single-letter shortcuts may be switched off (WCAG 2.1.4). */
  letters: boolean
}

const listeners = new Set<() => void>()
let settings: Settings = readAll()

function read(key: string): string | null {
  try {
    return localStorage.getItem(`salar.${key}`)
  } catch {
    return null // Storage may be forbidden; the defaults then hold.
  }
}

function readAll(): Settings {
  const theme = read('theme')
  return {
    theme: theme === 'light' || theme === 'dark' ? theme : 'system',
    density: read('density') === 'comfortable' ? 'comfortable' : 'compact',
    letters: read('letters') !== 'off',
  }
}

export function useSettings(): Settings {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => settings,
  )
}

export function changeSettings(change: Partial<Settings>): void {
  settings = { ...settings, ...change }
  try {
    localStorage.setItem('salar.theme', settings.theme)
    localStorage.setItem('salar.density', settings.density)
    localStorage.setItem('salar.letters', settings.letters ? 'on' : 'off')
  } catch {
    // The choice then holds until the page is closed.
  }
  applySettings()
  for (const listener of listeners) listener()
}

export function currentSettings(): Settings {
  return settings
}

/** Puts theme and density on the root; `app/theme-before-paint.js` does the same before the first paint. */
export function applySettings(): void {
  const dark =
    settings.theme === 'dark' ||
    (settings.theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.toggle('pf-v6-theme-dark', dark)
  if (settings.density === 'comfortable') document.documentElement.dataset.density = 'comfortable'
  else delete document.documentElement.dataset.density
}

/** Follows the system's theme and the choices made in other tabs. */
export function followSettings(): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', applySettings)
  window.addEventListener('storage', (event) => {
    if (event.key?.startsWith('salar.') !== true) return
    settings = readAll()
    applySettings()
    for (const listener of listeners) listener()
  })
}
