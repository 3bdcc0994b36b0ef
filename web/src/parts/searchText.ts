/** The query part of the URL: plain words, no JSON, so that a person can read and write it. */

export function parseSearchText(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text))
}

export function formatSearchText(search: Record<string, unknown>): string {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(search)) {
    if (typeof value === 'string' && value !== '') params.set(key, value)
  }
  // Commas and slashes need no escape in a query, and lists of states read better without.
  const text = params.toString().replaceAll('%2C', ',').replaceAll('%2F', '/')
  return text === '' ? '' : `?${text}`
}

/** Where to go after sign-in: a path of this site, never another. */
export function safeReturn(to: string | undefined): string {
  if (to === undefined || !to.startsWith('/') || /^\/[/\\]/.test(to) || to.startsWith('/login')) return '/'
  return to
}
