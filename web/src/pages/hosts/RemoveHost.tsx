/** Removes a host that is gone for good. Its row goes by the feed, and the page with it. */
import { Button } from '@patternfly/react-core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { removeHost, sessionQuery } from '../../api/queries'
import type { Host } from '../../api/types'
import { problemOf } from '../../api/problem'
import { DangerDialog } from '../../parts/DangerDialog'
import { cutMiddle } from '../../parts/format'
import { problemWords } from '../../parts/ProblemAlert'
import { showToast } from '../../parts/toasts'
import { hosts as words } from '../../text/en'

export function RemoveHost({ host }: { host: Host }) {
  const { data: session } = useQuery(sessionQuery)
  const [asks, setAsks] = useState(false)
  // An agent that is connected would bring its host back at once.
  const isGone = host.freshness === 'unreachable' || host.agentless === true
  if (session?.role !== 'administrator' || !isGone) return null
  const remove = async () => {
    setAsks(false)
    try {
      await removeHost(host.id)
      showToast({ variant: 'success', title: words.removed(host.name) })
    } catch (error) {
      const { message, hint } = problemWords(problemOf(error))
      showToast({ variant: 'danger', title: words.notRemoved(host.name), body: message, hint })
    }
  }
  return (
    <>
      <Button variant="link" isInline isDanger onClick={() => setAsks(true)}>
        {words.remove}
      </Button>
      {asks && (
        <DangerDialog
          title={words.removeTitle(cutMiddle(host.name, 60))}
          body={words.removeBody}
          deed={words.removeDeed}
          onConfirm={() => void remove()}
          onClose={() => setAsks(false)}
        />
      )}
    </>
  )
}
