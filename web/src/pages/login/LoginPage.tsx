/** `/login`. */
import { Alert, Button, Form, Title } from '@patternfly/react-core'
import { useQueryClient } from '@tanstack/react-query'
import { useRouter, useSearch } from '@tanstack/react-router'
import { useEffect, useState, type FormEvent } from 'react'
import { problemOf } from '../../api/problem'
import { sessionQuery, signIn } from '../../api/queries'
import icon from '../../parts/icon.svg'
import { safeReturn } from '../../parts/searchText'
import { ProblemAlert, problemWords } from '../../parts/ProblemAlert'
import { TextField } from '../../parts/TextField'
import { login as words, product } from '../../text/en'

export function LoginPage() {
  const { to }: { to?: string } = useSearch({ strict: false })
  const router = useRouter()
  const queries = useQueryClient()
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const [missing, setMissing] = useState<{ user?: string; password?: string }>({})
  const [error, setError] = useState<unknown>(undefined)
  const [isWorking, setWorking] = useState(false)
  useEffect(() => {
    document.title = `${words.submit} · ${product}`
    document.getElementById('login-user')?.focus()
  }, [])
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (isWorking) return
    const next = {
      user: user === '' ? words.userMissing : undefined,
      password: password === '' ? words.passwordMissing : undefined,
    }
    setMissing(next)
    const firstMissing =
      next.user !== undefined ? 'login-user' : next.password !== undefined ? 'login-password' : undefined
    if (firstMissing !== undefined) {
      document.getElementById(firstMissing)?.focus()
      return
    }
    setWorking(true)
    setError(undefined)
    try {
      const session = await signIn(user, password)
      queries.clear()
      queries.setQueryData(sessionQuery.queryKey, session)
      router.history.replace(safeReturn(to))
    } catch (thrown) {
      setError(thrown)
      setPassword('')
      setWorking(false)
      document.getElementById('login-password')?.focus()
    }
  }
  return (
    <main className="login">
      <div className="login-box">
        <img src={icon} alt="" width={48} height={48} />
        <Title headingLevel="h1" size="2xl">
          {words.title}
        </Title>
        {error === undefined && to !== undefined && to !== '/' && <p className="quiet">{words.first(to)}</p>}
        {error !== undefined && <SignInError error={error} />}
        <Form onSubmit={(event) => void submit(event)} noValidate>
          <TextField
            id="login-user"
            label={words.user}
            value={user}
            error={missing.user}
            autoComplete="username"
            onChange={setUser}
          />
          <TextField
            id="login-password"
            label={words.password}
            type="password"
            value={password}
            error={missing.password}
            autoComplete="current-password"
            onChange={setPassword}
          />
          <Button
            type="submit"
            variant="primary"
            isBlock
            isLoading={isWorking}
            spinnerAriaValueText={isWorking ? words.working : undefined}
          >
            {words.submit}
          </Button>
        </Form>
        <p className="quiet">{words.firstHint}</p>
      </div>
    </main>
  )
}

/** One text for an unknown user and a wrong password; the server's own words for anything else. */
function SignInError({ error }: { error: unknown }) {
  const problem = problemOf(error)
  if (problem.status !== 401) return <ProblemAlert error={error} />
  const { hint } = problemWords(problem)
  return (
    <Alert component="p" variant="danger" isInline role="alert" title={words.failed}>
      {hint}
    </Alert>
  )
}
