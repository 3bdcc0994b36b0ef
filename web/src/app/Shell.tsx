/** The frame around every page: masthead, navigation, task drawer, messages. */
import { Alert, Button, SkipToContent } from '@patternfly/react-core'
import { Outlet, useRouterState } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { onGap, startLive, wanted } from '../live/live'
import { phone, useMedia } from '../parts/media'
import { PowerConfirm } from '../parts/power/PowerConfirm'
import { showToast } from '../parts/toasts'
import { useLink } from '../parts/useLive'
import { live, nav, powerText } from '../text/en'
import { Masthead } from './Masthead'
import { Navigation } from './Navigation'
import { queryClient } from './queryClient'
import { Palette, paletteOpen } from './Palette'
import { ShortcutsDialog } from './ShortcutsDialog'
import { TaskDrawer } from './TaskDrawer'
import { Toasts } from './Toasts'
import { useShortcuts } from './useShortcuts'

/** Longer than this without news, figures are greyed. */
const staleAfter = 10_000

export function Shell() {
  const narrow = useMedia('(max-width: 900px)')
  const isPhone = useMedia(phone)
  const [isNavWanted, setNavWanted] = useState(true)
  /** On a narrow window the navigation lies over one page, and goes with it. */
  const [navOverPath, setNavOverPath] = useState<string | undefined>(undefined)
  const [tasksOpen, setTasksOpen] = useState(false)
  const path = useRouterState({ select: (state) => state.location.pathname })
  const isNavOpen = narrow ? navOverPath === path : isNavWanted
  const setNavOpen = (open: boolean) => {
    if (narrow) setNavOverPath(open ? path : undefined)
    else setNavWanted(open)
  }
  useEffect(startLive, [])
  useEffect(
    () =>
      onGap(() => {
        void queryClient.invalidateQueries({ queryKey: ['vm'] })
        void queryClient.invalidateQueries({ queryKey: ['host'] })
      }),
    [],
  )
  useEffect(
    () =>
      wanted.onFailure((_vmId, action) =>
        showToast({
          variant: 'danger',
          title: powerText.taskFailed(action.summary),
          body:
            action.error?.message ??
            (action.status === 'cancelled' ? powerText.cancelled : powerText.unknownOutcome),
          hint: action.error?.hint ?? undefined,
        }),
      ),
    [],
  )
  useStaleMark()
  useShortcuts()
  return (
    <div className="shell" data-nav={isNavOpen ? 'open' : 'closed'}>
      <SkipToContent href="#main">{nav.skip}</SkipToContent>
      <Masthead
        isNavOpen={isNavOpen}
        onToggleNav={() => setNavOpen(!isNavOpen)}
        areTasksOpen={tasksOpen}
        onToggleTasks={() => setTasksOpen(!tasksOpen)}
        onSearch={() => paletteOpen.set(true)}
        isPhone={isPhone}
      />
      <BuildBanner />
      <div className="shell-body">
        {isNavOpen && <Navigation path={path} />}
        {isNavOpen && narrow && (
          <button
            type="button"
            className="nav-veil"
            aria-label={nav.close}
            onClick={() => setNavOpen(false)}
          />
        )}
        <main id="main" tabIndex={-1} className="shell-main">
          <Outlet />
        </main>
        {tasksOpen && <TaskDrawer onClose={() => setTasksOpen(false)} />}
      </div>
      <Palette />
      <ShortcutsDialog />
      <PowerConfirm />
      <Toasts />
    </div>
  )
}

/** Marks the root while what is shown may be old; the style sheet greys the figures. */
function useStaleMark(): void {
  const { state } = useLink()
  const since = state.kind === 'reconnecting' || state.kind === 'paused' ? state.since : undefined
  useEffect(() => {
    if (since === undefined) {
      delete document.documentElement.dataset.stale
      return undefined
    }
    const timer = setTimeout(
      () => {
        document.documentElement.dataset.stale = 'yes'
      },
      Math.max(0, since + staleAfter - Date.now()),
    )
    return () => clearTimeout(timer)
  }, [since])
}

function BuildBanner() {
  const { buildChanged } = useLink()
  if (!buildChanged) return null
  return (
    <Alert
      component="p"
      isInline
      variant="info"
      title={live.newBuild}
      className="build-banner"
      actionLinks={
        <Button variant="link" isInline onClick={() => window.location.reload()}>
          {live.reload}
        </Button>
      }
    />
  )
}
