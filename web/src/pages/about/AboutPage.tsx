/** `/about`: versions and licences. */
import {
  Card,
  CardBody,
  CardTitle,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core'
import { useQuery } from '@tanstack/react-query'
import { aboutQuery } from '../../api/queries'
import { Ago } from '../../parts/Ago'
import { PageFrame } from '../../parts/PageFrame'
import { PlainTable } from '../../parts/PlainTable'
import { ProblemAlert } from '../../parts/ProblemAlert'
import { about as words } from '../../text/en'
import { noticesPath, noticesQuery } from './notices'

export function AboutPage() {
  const { data, error, refetch } = useQuery(aboutQuery)
  return (
    <PageFrame title={words.title}>
      <div className="cards cards-form">
        <Card component="section" isCompact>
          <CardBody>
            <p>{words.lead}</p>
            {error !== null && <ProblemAlert error={error} onRetry={() => void refetch()} />}
            {data !== undefined && (
              <DescriptionList isHorizontal isCompact>
                <Fact label={words.version} value={`${data.product} ${data.version}`} />
                <Fact label={words.build} value={data.build} />
                <Fact label={words.started} value={<Ago at={data.started_at} />} />
                <Fact label={words.licence} value={words.licenceName} />
              </DescriptionList>
            )}
          </CardBody>
        </Card>
        <Notices />
      </div>
    </PageFrame>
  )
}

function Fact({ label, value }: { label: string; value: React.ReactNode }) {
  return (
    <DescriptionListGroup>
      <DescriptionListTerm>{label}</DescriptionListTerm>
      <DescriptionListDescription>{value}</DescriptionListDescription>
    </DescriptionListGroup>
  )
}

function Notices() {
  const { data, isError } = useQuery(noticesQuery)
  return (
    <Card component="section" isCompact>
      <CardTitle component="h2">{words.notices}</CardTitle>
      <CardBody>
        <p>{words.noticesBody}</p>
        {isError && <p className="quiet">{words.noticesFailed}</p>}
        {data !== undefined && (
          <>
            <PlainTable
              label={words.notices}
              empty={words.noticesFailed}
              heads={[words.colPackage, words.colVersion, words.colLicence]}
              rows={data.map((notice) => [notice.name, notice.version, notice.licence])}
            />
            <p>
              <a href={noticesPath.text} target="_blank" rel="noreferrer">
                {words.fullText}
              </a>
            </p>
          </>
        )}
      </CardBody>
    </Card>
  )
}
