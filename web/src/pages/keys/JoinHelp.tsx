/** How a host joins, with a token to join that is shown this once. */
import { Button } from '@patternfly/react-core'
import { useState } from 'react'
import { createJoinToken } from '../../api/queries'
import { CopyButton } from '../../parts/CopyButton'
import { Facts, type Fact } from '../../parts/Facts'
import { ProblemAlert } from '../../parts/ProblemAlert'
import { common, keys as words } from '../../text/en'

export function JoinHelp({ ca, port }: { ca: string | undefined; port: number | undefined }) {
  const { token, error, make } = useToken()
  if (ca === undefined || port === undefined) {
    return (
      <>
        <p>{words.notListening}</p>
        <p className="command" translate="no">
          {words.listenCommand}
        </p>
      </>
    )
  }
  const command = words.joinCommand(location.hostname, port, token)
  const facts: Fact[] = [[words.ca, ca]]
  return (
    <div className="stack">
      <p>{token === undefined ? words.joinBody : words.tokenBody}</p>
      <p className="command join-command" translate="no">
        {command}
      </p>
      <p className="join-deeds">
        <CopyButton text={command} label={common.copy} />
        <Button variant="link" isInline onClick={() => void make()}>
          {words.makeToken}
        </Button>
      </p>
      {error !== undefined && <ProblemAlert error={error} title={words.tokenFailed} />}
      <Facts facts={facts} />
    </div>
  )
}

function useToken() {
  const [token, setToken] = useState<string | undefined>(undefined)
  const [error, setError] = useState<unknown>(undefined)
  const make = async () => {
    setError(undefined)
    try {
      setToken((await createJoinToken()).token)
    } catch (thrown) {
      setError(thrown)
    }
  }
  return { token, error, make }
}
