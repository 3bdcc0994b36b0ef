/** One VM for its pages: the living row, and the detail that follows it. */
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { vmQuery } from '../../api/queries'
import type { Vm, VmDetail } from '../../api/types'
import { useSeen } from '../../parts/useLive'

export interface VmState {
  id: string
  /** The newest row known. */
  vm: Vm | undefined
  detail: VmDetail | undefined
  isGone: boolean
  error: unknown
  retry: () => void
}

export function useVm(): VmState {
  const { id = '' }: { id?: string } = useParams({ strict: false })
  const seen = useSeen('vms', id)
  const { data, error, refetch } = useQuery({
    ...vmQuery(id, seen?.row.gen),
    placeholderData: keepPreviousData,
  })
  const detail = data?.id === id ? data : undefined
  const row = seen?.row
  const vm = row !== undefined && (detail === undefined || row.gen >= detail.gen) ? row : detail
  return {
    id,
    vm,
    detail,
    isGone: seen?.gone === true,
    error: error ?? undefined,
    retry: () => void refetch(),
  }
}
