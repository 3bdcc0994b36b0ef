/** The notices that `scripts/notices.mjs` writes beside the built page. */
import { queryOptions } from '@tanstack/react-query'

export const noticesPath = { list: '/notices.json', text: '/notices.txt' }

export interface Notice {
  name: string
  version: string
  licence: string
}

export const noticesQuery = queryOptions({
  queryKey: ['notices'],
  queryFn: async (): Promise<Notice[]> => {
    const response = await fetch(noticesPath.list)
    if (!response.ok) throw new Error(response.statusText)
    const list: unknown = await response.json()
    return Array.isArray(list) ? list.filter(isNotice) : []
  },
  staleTime: Infinity,
  retry: false,
})

function isNotice(value: unknown): value is Notice {
  return (
    typeof value === 'object' && value !== null && 'name' in value && 'version' in value && 'licence' in value
  )
}
