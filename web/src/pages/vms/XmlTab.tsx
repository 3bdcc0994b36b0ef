/** The XML tab: the running definition and that of the next start, to read and copy. */
import { EmptyState, Skeleton, ToggleGroup, ToggleGroupItem } from '@patternfly/react-core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { Suspense } from 'react'
import { vmXmlQuery } from '../../api/queries'
import { Ago } from '../../parts/Ago'
import { CopyButton } from '../../parts/CopyButton'
import { lazyPart } from '../../parts/lazyPart'
import { ProblemAlert } from '../../parts/ProblemAlert'
import { common, xml as words } from '../../text/en'
import { useVm } from './useVm'

export const XmlView = lazyPart(() => import('../../parts/XmlView').then((module) => module.XmlView))

type Which = 'live' | 'persistent'

export function XmlTab() {
  const { id, vm } = useVm()
  const { which }: { which?: Which } = useSearch({ strict: false })
  const navigate = useNavigate()
  const { data, error, refetch } = useQuery({
    ...vmXmlQuery(id, vm?.gen),
    placeholderData: keepPreviousData,
    enabled: vm !== undefined,
  })
  if (error !== null) return <ProblemAlert error={error} onRetry={() => void refetch()} />
  if (data === undefined) return <Skeleton screenreaderText={common.loading} />
  const shown: Which = which ?? (data.live == null ? 'persistent' : 'live')
  const text = data[shown]
  const choose = (next: Which) => void navigate({ to: '.', search: { which: next }, replace: true })
  return (
    <div className="xml-tab">
      <div className="xml-toolbar">
        <ToggleGroup aria-label={words.which}>
          <ToggleGroupItem
            text={words.live}
            buttonId="xml-live"
            isSelected={shown === 'live'}
            onChange={() => choose('live')}
          />
          <ToggleGroupItem
            text={words.persistent}
            buttonId="xml-persistent"
            isSelected={shown === 'persistent'}
            onChange={() => choose('persistent')}
          />
        </ToggleGroup>
        {text != null && <CopyButton text={text} label={words.copy} />}
        <span className="quiet">
          {words.read} <Ago at={data.observed_at} />
        </span>
      </div>
      {text == null ? (
        <EmptyState
          headingLevel="h2"
          titleText={shown === 'live' ? words.liveMissing : words.persistentMissing}
        />
      ) : (
        <Suspense fallback={<Skeleton screenreaderText={common.loading} />}>
          <XmlView text={text} label={words.label(vm?.name ?? id)} />
        </Suspense>
      )}
    </div>
  )
}
