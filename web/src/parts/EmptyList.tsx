/** Two different emptinesses: nothing exists yet, and nothing matches the filter. */
import {
  Button,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
} from '@patternfly/react-core'
import type { CollectionName } from '../api/types'
import { common, list as words } from '../text/en'
import { CopyButton } from './CopyButton'

export function NoMatch({ name, onClear }: { name: CollectionName; onClear: () => void }) {
  return (
    <EmptyState headingLevel="h2" titleText={words.noMatch(name)}>
      <EmptyStateBody>{words.noMatchHint}</EmptyStateBody>
      <EmptyStateFooter>
        <EmptyStateActions>
          <Button variant="primary" onClick={onClear}>
            {words.clearFilter}
          </Button>
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  )
}

/** Says what this is, and the command that makes the first. */
export function NothingYet({ title, body, command }: { title: string; body: string; command: string }) {
  return (
    <EmptyState headingLevel="h2" titleText={title}>
      <EmptyStateBody>{body}</EmptyStateBody>
      <EmptyStateFooter>
        <EmptyStateActions>
          <code className="command">{command}</code> <CopyButton text={command} label={common.copy} />
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  )
}
