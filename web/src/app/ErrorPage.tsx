/** What shows instead of a page that is not there, or failed. */
import {
  Button,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
} from '@patternfly/react-core'
import { useCallback, useEffect, useRef } from 'react'
import { AppLink } from '../parts/AppLink'
import { forgetFailedParts } from '../parts/lazyPart'
import { ProblemAlert } from '../parts/ProblemAlert'
import { useLink } from '../parts/useLive'
import { problems, product } from '../text/en'

export function NotFoundPage() {
  useEffect(() => {
    document.title = `${problems.notFound} · ${product}`
  }, [])
  return (
    <div className="error-page">
      <EmptyState headingLevel="h1" titleText={problems.notFound}>
        <EmptyStateBody>{problems.notFoundHint}</EmptyStateBody>
        <EmptyStateFooter>
          <EmptyStateActions>
            <AppLink to="/">{problems.toDashboard}</AppLink>
          </EmptyStateActions>
        </EmptyStateFooter>
      </EmptyState>
    </div>
  )
}

/** Tries again by itself when the server is back, since then most pages can be shown. */
export function ErrorPage({ error, reset }: { error: unknown; reset: () => void }) {
  const { state } = useLink()
  const linkAtFirst = useRef(state.kind)
  const again = useCallback(() => {
    forgetFailedParts()
    reset()
  }, [reset])
  useEffect(() => {
    if (linkAtFirst.current !== 'live' && state.kind === 'live') again()
    linkAtFirst.current = state.kind
  }, [state.kind, again])
  return (
    <div className="error-page">
      <ProblemAlert error={error} title={problems.pageFailed} onRetry={again}>
        <Button variant="link" isInline onClick={() => window.location.reload()}>
          {problems.reload}
        </Button>
      </ProblemAlert>
    </div>
  )
}
