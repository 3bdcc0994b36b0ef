/** `/vms/$id`: head and tabs of one virtual machine. */
import { Alert, EmptyState, EmptyStateBody, Skeleton } from '@patternfly/react-core'
import { Outlet, useRouterState } from '@tanstack/react-router'
import { useMemo } from 'react'
import { powerActions, type Vm } from '../../api/types'
import { problemOf } from '../../api/problem'
import { AppLink } from '../../parts/AppLink'
import { useNow } from '../../parts/clock'
import { agoText } from '../../parts/format'
import { HostLink } from '../../parts/HostLink'
import { Name } from '../../parts/Name'
import { usePageActions } from '../../parts/pageActions'
import { PageFrame } from '../../parts/PageFrame'
import { startPower, whyNot } from '../../parts/power/power'
import { ProblemAlert } from '../../parts/ProblemAlert'
import { VmStatusMark } from '../../parts/StatusMark'
import { useWanted } from '../../parts/useLive'
import { common, power, vm as words, vms } from '../../text/en'
import { useVm } from './useVm'
import { VmActions } from './VmActions'

const crumbs = [{ label: vms.title, to: '/vms' }]

export function VmPage() {
  const { vm, isGone, error, retry } = useVm()
  if (vm === undefined) {
    return (
      <PageFrame title={vms.title} crumbs={crumbs}>
        {error === undefined ? (
          <Skeleton screenreaderText={common.loading} />
        ) : (
          <Missing error={error} retry={retry} />
        )}
      </PageFrame>
    )
  }
  return <VmShell vm={vm} isGone={isGone} />
}

function Missing({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <ProblemAlert error={error} onRetry={problemOf(error).status === 404 ? undefined : retry}>
      <AppLink to="/vms">{words.toList}</AppLink>
    </ProblemAlert>
  )
}

function VmShell({ vm, isGone }: { vm: Vm; isGone: boolean }) {
  const wish = useWanted(vm.id)
  const heading = <Name most={60}>{vm.name}</Name>
  usePageActions(useActions(vm, isGone))
  return (
    <PageFrame
      title={vm.name}
      heading={heading}
      crumbs={crumbs}
      isFilled
      aside={
        <span className="vm-head-facts" role="status">
          <VmStatusMark status={isGone ? 'unknown' : vm.status} wish={wish} host={vm.host.name} />
          <HostLink host={vm.host} most={40} />
          {vm.addresses[0] !== undefined && <span>{vm.addresses[0]}</span>}
        </span>
      }
      actions={isGone ? undefined : <VmActions vm={vm} />}
    >
      {isGone ? (
        <EmptyState headingLevel="h2" titleText={words.goneTitle(vm.name)}>
          <EmptyStateBody>
            {words.goneBody} <AppLink to="/vms">{words.toList}</AppLink>
          </EmptyStateBody>
        </EmptyState>
      ) : (
        <>
          <Banners vm={vm} />
          <VmTabs id={vm.id} />
          <div className="vm-tab">
            <Outlet />
          </div>
        </>
      )}
    </PageFrame>
  )
}

function useActions(vm: Vm, isGone: boolean) {
  return useMemo(
    () =>
      isGone
        ? []
        : powerActions.map((action) => ({
            label: `${power[action].label} ${vm.name}`,
            reason: whyNot(vm, action),
            run: () => startPower(vm, action),
          })),
    [vm, isGone],
  )
}

function Banners({ vm }: { vm: Vm }) {
  const now = useNow()
  return (
    <>
      {vm.host.freshness !== 'live' && (
        <Alert
          component="p"
          isInline
          variant="warning"
          title={words.hostNotLive(vm.host.name, agoText(vm.observed_at, now))}
          actionLinks={<AppLink to={`/hosts/${vm.host.id}`}>{common.details}</AppLink>}
        />
      )}
      {vm.pending_changes && (
        <Alert component="p" isInline variant="info" title={words.pendingTitle}>
          {words.pendingBody}
        </Alert>
      )}
    </>
  )
}

const tabs = [
  { key: 'overview', label: words.overview, path: '' },
  { key: 'console', label: words.console, path: '/console' },
  { key: 'xml', label: words.xml, path: '/xml' },
] as const

function VmTabs({ id }: { id: string }) {
  const path = useRouterState({ select: (state) => state.location.pathname })
  const base = `/vms/${id}`
  const active = tabs.find((tab) => tab.path !== '' && path.startsWith(base + tab.path))?.key ?? 'overview'
  return (
    <nav className="tab-links" aria-label={words.tabs}>
      {tabs.map((tab) => (
        <AppLink key={tab.key} to={base + tab.path} aria-current={tab.key === active ? 'page' : undefined}>
          {tab.label}
        </AppLink>
      ))}
    </nav>
  )
}
