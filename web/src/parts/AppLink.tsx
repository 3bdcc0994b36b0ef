/** A link within the application, by path. */
import { useRouter } from '@tanstack/react-router'
import type { AnchorHTMLAttributes, MouseEvent } from 'react'

interface AppLinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> {
  /** Path with its query. */
  to: string
}

export function AppLink({ to, onClick, children, ...anchor }: AppLinkProps) {
  const router = useRouter()
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
    if (event.defaultPrevented || !plain) return
    event.preventDefault()
    router.history.push(to)
  }
  // What the person points at is probably wanted next.
  const preload = () => void router.preloadRoute({ to: to.split('?')[0] }).catch(() => undefined)
  return (
    <a {...anchor} href={to} onClick={follow} onMouseEnter={preload} onFocus={preload}>
      {children}
    </a>
  )
}
