/** An error in its four parts: what failed, cause, remedy, details with the id of the request. */
import { Alert, Button, ExpandableSection } from '@patternfly/react-core'
import type { ReactNode } from 'react'
import { problemOf, type Problem } from '../api/problem'
import { common, problems } from '../text/en'
import { CopyButton } from './CopyButton'

interface ProblemAlertProps {
  error: unknown
  /** What failed, when the server's message does not say it. */
  title?: string
  onRetry?: () => void
  children?: ReactNode
}

export function ProblemAlert({ error, title, onRetry, children }: ProblemAlertProps) {
  const problem = problemOf(error)
  const words = problemWords(problem)
  return (
    <Alert
      component="p"
      variant="danger"
      isInline
      role="alert"
      title={title ?? words.message}
      actionLinks={
        onRetry && (
          <Button variant="link" isInline onClick={onRetry}>
            {common.retry}
          </Button>
        )
      }
    >
      {title !== undefined && <p>{words.message}</p>}
      {words.hint !== undefined && <p>{words.hint}</p>}
      {children}
      {problem.requestId !== undefined && <ProblemDetails problem={problem} />}
    </Alert>
  )
}

export function problemWords(problem: Problem): { message: string; hint: string | undefined } {
  if (problem.code === 'unreachable') return { message: problems.unreachable, hint: problems.unreachableHint }
  if (problem.message !== '') return { message: problem.message, hint: problem.hint }
  return { message: problems.proxy(problem.status), hint: problem.hint }
}

function ProblemDetails({ problem }: { problem: Problem }) {
  const text = `${problem.code} · ${problem.status} · ${common.requestId} ${problem.requestId}`
  return (
    <ExpandableSection toggleTextCollapsed={common.details} toggleTextExpanded={common.hideDetails}>
      <span className="mono">{text}</span> <CopyButton text={text} label={common.copy} />
    </ExpandableSection>
  )
}
