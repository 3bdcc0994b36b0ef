/** Width of an element in pixels, now and when it changes; what stands beside it may take room from it. */
import { useLayoutEffect, useState, type RefObject } from 'react'

export function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(() => window.innerWidth)
  useLayoutEffect(() => {
    const box = element.current
    if (box === null || typeof ResizeObserver === 'undefined') return undefined
    const observer = new ResizeObserver(() => setWidth(Math.round(box.getBoundingClientRect().width)))
    observer.observe(box)
    return () => observer.disconnect()
  }, [element])
  return width
}
