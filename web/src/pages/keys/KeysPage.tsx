/** `/keys`: agents of other machines that are ours, and those that want to be. */
import { useQuery } from '@tanstack/react-query'
import { Skeleton } from '@patternfly/react-core'
import { keysQuery, sessionQuery } from '../../api/queries'
import { PageFrame } from '../../parts/PageFrame'
import { ProblemAlert } from '../../parts/ProblemAlert'
import { Section } from '../../parts/Section'
import { common, keys as words } from '../../text/en'
import { JoinHelp } from './JoinHelp'
import { KeyTable } from './KeyTable'

export function KeysPage() {
  const { data: session } = useQuery(sessionQuery)
  const mayLook = session?.role === 'administrator'
  return (
    <PageFrame title={words.title}>
      <div className="cards cards-form">
        {mayLook ? <Keys /> : <p className="quiet">{words.needsAdministrator}</p>}
      </div>
    </PageFrame>
  )
}

function Keys() {
  const { data, error, refetch } = useQuery(keysQuery)
  if (data === undefined) {
    return error === null ? (
      <Skeleton screenreaderText={common.loading} />
    ) : (
      <ProblemAlert error={error} onRetry={() => void refetch()} />
    )
  }
  return (
    <>
      {error !== null && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      <Section title={words.shown}>
        <p className="quiet">{words.compare}</p>
        <KeyTable keys={data.keys} />
      </Section>
      <Section title={words.join}>
        <JoinHelp ca={data.ca ?? undefined} port={data.port ?? undefined} />
      </Section>
    </>
  )
}
