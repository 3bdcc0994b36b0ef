/**
 * Parts that are loaded when they are first wanted.
 *
 * Unlike `React.lazy` a load that failed is not the last: it can be tried again. And unlike the router's own lazy
 * components it never reloads the document, which, while the server is away, would replace the page by the browser's.
 */
import { createElement, use, type ComponentType, type ReactNode } from 'react'

export type LazyPart<Props extends object> = ((props: Props) => ReactNode) & { preload: () => Promise<void> }

const failed = new Set<() => void>()

/** Lets parts that could not be loaded be loaded again when they are next wanted. */
export function forgetFailedParts(): void {
  for (const forget of failed) forget()
  failed.clear()
}

export function lazyPart<Props extends object>(load: () => Promise<ComponentType<Props>>): LazyPart<Props> {
  let part: ComponentType<Props> | undefined
  let loading: Promise<ComponentType<Props>> | undefined
  const start = () => {
    loading ??= load().then(
      (loaded) => {
        part = loaded
        return loaded
      },
      (error: unknown) => {
        // Kept until it is forgotten: rendering must not turn into a loop of requests.
        failed.add(() => {
          loading = undefined
        })
        throw error
      },
    )
    return loading
  }
  const Part = (props: Props) => createElement(part ?? use(start()), props)
  const preload = () =>
    start().then(
      () => undefined,
      () => undefined,
    )
  return Object.assign(Part, { preload })
}
