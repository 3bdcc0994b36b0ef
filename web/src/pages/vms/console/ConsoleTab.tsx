/** The Console tab: the screen of a running VM; of any other, why there is none and how to get one. */
import {
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
  Skeleton,
} from '@patternfly/react-core'
import { Suspense } from 'react'
import { lazyPart } from '../../../parts/lazyPart'
import { ActionButton } from '../../../parts/power/ActionButton'
import { startPower, whyNot } from '../../../parts/power/power'
import { common, consoleText as words, power } from '../../../text/en'
import { useVm } from '../useVm'

export const Screen = lazyPart(() => import('./Screen').then((module) => module.Screen))

/** States in which QEMU is there and shows a picture. */
const withPicture = ['running', 'paused', 'suspended', 'shutting_down', 'migrating']

export function ConsoleTab() {
  const { vm, detail } = useVm()
  if (vm === undefined) return null
  if (!withPicture.includes(vm.status)) {
    const action = vm.status === 'paused' ? 'resume' : 'start'
    return (
      <EmptyState headingLevel="h2" titleText={words.stoppedTitle}>
        <EmptyStateBody>{words.stoppedBody}</EmptyStateBody>
        <EmptyStateFooter>
          <EmptyStateActions>
            <ActionButton
              variant="primary"
              reason={whyNot(vm, action)}
              onClick={() => startPower(vm, action)}
            >
              {power[action].label}
            </ActionButton>
          </EmptyStateActions>
        </EmptyStateFooter>
      </EmptyState>
    )
  }
  if (detail !== undefined && !detail.graphics.some((graphics) => graphics.kind === 'vnc')) {
    return (
      <EmptyState headingLevel="h2" titleText={words.noGraphicsTitle}>
        <EmptyStateBody>{words.noGraphicsBody}</EmptyStateBody>
      </EmptyState>
    )
  }
  return (
    <Suspense fallback={<Skeleton screenreaderText={common.loading} />}>
      <Screen key={vm.id} vmId={vm.id} name={vm.name} />
    </Suspense>
  )
}
