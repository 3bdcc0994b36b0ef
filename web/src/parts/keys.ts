/** Single-letter shortcuts: when they apply. */
import { currentSettings } from './settings'

/** Whether a key press belongs to a field, a console, a menu or a dialog rather than to the page. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable) return true
  return (
    target.closest(
      'input:not([type=checkbox]), textarea, select, [role=dialog], [role=menu], [data-console]',
    ) !== null
  )
}

/** Whether the press is a single-letter shortcut of the page. */
export function isLetterShortcut(event: KeyboardEvent): boolean {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented
  return (
    plain &&
    currentSettings().letters &&
    !isTyping(event) &&
    document.querySelector('[aria-modal=true]') === null
  )
}
