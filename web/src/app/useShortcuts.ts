/** Shortcuts that hold on every page: Ctrl-K, `?`, and `g` with a letter. */
import { useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'
import { isLetterShortcut } from '../parts/keys'
import { paletteOpen } from './Palette'
import { places } from './places'
import { shortcutsOpen } from './ShortcutsDialog'

/** `g` waits this long for its letter. */
const chordTime = 1_500

export function useShortcuts(): void {
  const router = useRouter()
  useEffect(() => {
    let goUntil = 0
    const onKeyDown = (event: KeyboardEvent) => {
      if (
        (event.ctrlKey || event.metaKey) &&
        !event.altKey &&
        !event.shiftKey &&
        event.key.toLowerCase() === 'k'
      ) {
        if (event.target instanceof Element && event.target.closest('[data-console]') !== null) return
        event.preventDefault()
        paletteOpen.set((open) => !open)
        return
      }
      if (!isLetterShortcut(event)) return
      const now = performance.now()
      const place = now < goUntil ? places.find((one) => one.key === event.key) : undefined
      goUntil = event.key === 'g' ? now + chordTime : 0
      if (place !== undefined) {
        event.preventDefault()
        router.history.push(place.path)
      } else if (event.key === '?') {
        event.preventDefault()
        shortcutsOpen.set(true)
      }
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [router])
}
