/** What shows instead of a page that is not there, or failed. */
import {
  Button,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
} from '@patternfly/react-core'
import { AppLink } from '../parts/AppLink'
import { ProblemAlert } from '../parts/ProblemAlert'
import { problems } from '../text/en'

export function NotFoundPage() {
  return (
    <main className="error-page">
      <EmptyState headingLevel="h1" titleText={problems.notFound}>
        <EmptyStateBody>{problems.notFoundHint}</EmptyStateBody>
        <EmptyStateFooter>
          <EmptyStateActions>
            <AppLink to="/">{problems.toDashboard}</AppLink>
          </EmptyStateActions>
        </EmptyStateFooter>
      </EmptyState>
    </main>
  )
}

export function ErrorPage({ error }: { error: unknown }) {
  return (
    <main className="error-page">
      <ProblemAlert error={error} title={problems.pageFailed}>
        <Button variant="link" isInline onClick={() => window.location.reload()}>
          {problems.reload}
        </Button>
      </ProblemAlert>
    </main>
  )
}
