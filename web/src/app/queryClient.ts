/** The cache of requests. Living collections do not pass through it. */
import { QueryClient } from '@tanstack/react-query'
import { ApiError } from '../api/problem'

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      refetchOnWindowFocus: false,
      // An answer of the server is an answer; only a missing one is worth another try.
      retry: (failures, error) => !(error instanceof ApiError) && failures < 2,
    },
  },
})
