import type { ListQuery } from '../../api/types'

/** Tasks that have not ended. */
export const unfinished: ListQuery = { status: 'queued,sent,accepted,running', sort: '-created' }

/** Tasks that have. */
export const ended: ListQuery = { status: 'succeeded,failed,cancelled,unknown', sort: '-created' }
