/** The keys that agents have shown, each with what can be decided about it. */
import { Button } from '@patternfly/react-core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { decideKey, keysQuery, type KeyDecision } from '../../api/queries'
import type { Key } from '../../api/types'
import { problemOf } from '../../api/problem'
import { Ago } from '../../parts/Ago'
import { DangerDialog } from '../../parts/DangerDialog'
import { cutMiddle } from '../../parts/format'
import { TableFrame } from '../../parts/PlainTable'
import { problemWords } from '../../parts/ProblemAlert'
import { ShapeIcon } from '../../parts/StatusMark'
import { shapeOfKey } from '../../parts/shapes'
import { showToast } from '../../parts/toasts'
import { keys as words } from '../../text/en'

/** What can be decided about a key of each status. */
const decisions: Record<string, readonly KeyDecision[]> = {
  unaccepted: ['accept', 'reject', 'delete'],
  accepted: ['reject', 'delete'],
  rejected: ['accept', 'delete'],
  denied: ['delete'],
}

interface Asked {
  of: Key
  decision: KeyDecision
}

export function KeyTable({ keys }: { keys: readonly Key[] }) {
  const queries = useQueryClient()
  const [asked, setAsked] = useState<Asked | undefined>(undefined)
  const decide = async ({ of, decision }: Asked) => {
    setAsked(undefined)
    try {
      await decideKey(of.fingerprint, decision)
      showToast({ variant: 'success', title: words.done[decision](of.name) })
    } catch (error) {
      const { message, hint } = problemWords(problemOf(error))
      showToast({ variant: 'danger', title: words.failed[decision](of.name), body: message, hint })
    }
    await queries.invalidateQueries({ queryKey: keysQuery.queryKey })
  }
  // What cuts an agent that works is asked for twice.
  const ask = (wanted: Asked) => (wanted.of.status === 'accepted' ? setAsked(wanted) : void decide(wanted))
  if (keys.length === 0) return <p className="quiet">{words.none}</p>
  return (
    <>
      <TableFrame label={words.shown} heads={words.heads} className="key-table">
        {keys.map((key) => (
          <Row key={key.fingerprint} of={key} onAsk={(decision) => ask({ of: key, decision })} />
        ))}
      </TableFrame>
      {asked !== undefined && (
        <DangerDialog
          title={words.decide[asked.decision].of(cutMiddle(asked.of.name, 60))}
          body={words.cut}
          deed={words.decide[asked.decision].label}
          onConfirm={() => void decide(asked)}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  )
}

function Row({ of, onAsk }: { of: Key; onAsk: (decision: KeyDecision) => void }) {
  return (
    <tr className="pf-v6-c-table__tr">
      <th className="pf-v6-c-table__td" scope="row" translate="no" title={of.name}>
        {of.name}
      </th>
      <td className="pf-v6-c-table__td">
        <span className="status">
          <ShapeIcon shape={shapeOfKey(of.status)} />
          {words.status[of.status] ?? of.status}
        </span>
      </td>
      <td className="pf-v6-c-table__td mono key-print" translate="no">
        {of.fingerprint}
      </td>
      <td className="pf-v6-c-table__td" translate="no">
        {of.address}
      </td>
      <td className="pf-v6-c-table__td">
        <Ago at={of.seen_at} />
      </td>
      <td className="pf-v6-c-table__td key-deeds">
        {(decisions[of.status] ?? []).map((decision) => (
          <Button
            key={decision}
            size="sm"
            variant={decision === 'accept' ? 'primary' : 'link'}
            isDanger={decision === 'delete'}
            aria-label={words.decide[decision].of(of.name)}
            onClick={() => onAsk(decision)}
          >
            {words.decide[decision].label}
          </Button>
        ))}
      </td>
    </tr>
  )
}
