/** The name of an object: never translated, long ones cut in the middle and whole on hover. */
import { cutMiddle } from './format'

export function Name({ children, most = 60 }: { children: string; most?: number }) {
  const cut = cutMiddle(children, most)
  return (
    <span translate="no" className="name" title={cut === children ? undefined : children}>
      {cut}
    </span>
  )
}
