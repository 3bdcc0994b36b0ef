/** A card with a heading: one group of facts of a page. */
import { Card, CardBody, CardTitle } from '@patternfly/react-core'
import type { ReactNode } from 'react'
import { AppLink } from './AppLink'

interface SectionProps {
  title: string
  /** Where there is more of it. */
  to?: string
  children: ReactNode
}

export function Section({ title, to, children }: SectionProps) {
  return (
    <Card component="section" aria-label={title} isCompact>
      <CardTitle component="h2">
        {to === undefined ? (
          title
        ) : (
          <AppLink to={to} className="row-link">
            {title}
          </AppLink>
        )}
      </CardTitle>
      <CardBody>{children}</CardBody>
    </Card>
  )
}
