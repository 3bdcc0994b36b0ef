/** The frame of every page: breadcrumb, title with state, actions; the content fills the height that is left. */
import { Breadcrumb, BreadcrumbItem, Title } from '@patternfly/react-core'
import { useEffect, type ReactNode } from 'react'
import { nav, product } from '../text/en'
import { AppLink } from './AppLink'

interface PageFrameProps {
  title: string
  /** Where this page hangs, from the outermost. */
  crumbs?: readonly { label: string; to: string }[]
  /** Beside the title: state, facts. */
  aside?: ReactNode
  actions?: ReactNode
  /** One scroll area of its own (a table); otherwise the page scrolls. */
  isFilled?: boolean
  heading?: ReactNode
  children: ReactNode
}

export function PageFrame({
  title,
  crumbs = [],
  aside,
  actions,
  isFilled = false,
  heading,
  children,
}: PageFrameProps) {
  useEffect(() => {
    document.title = `${title} · ${product}`
  }, [title])
  return (
    <div className={isFilled ? 'page page-filled' : 'page'}>
      <header className="page-head">
        {crumbs.length > 0 && (
          <Breadcrumb aria-label={nav.breadcrumb}>
            {crumbs.map((crumb) => (
              <BreadcrumbItem
                key={crumb.to}
                render={({ className }) => (
                  <AppLink to={crumb.to} className={className}>
                    {crumb.label}
                  </AppLink>
                )}
              />
            ))}
            <BreadcrumbItem isActive>{heading ?? title}</BreadcrumbItem>
          </Breadcrumb>
        )}
        <div className="page-title">
          <Title headingLevel="h1" size="xl">
            {heading ?? title}
          </Title>
          {aside}
          {actions !== undefined && <div className="page-actions">{actions}</div>}
        </div>
      </header>
      <div className="page-body">{children}</div>
    </div>
  )
}
