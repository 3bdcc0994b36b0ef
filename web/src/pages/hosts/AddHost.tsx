/** Adds a host without an agent of its own: what it is reached by, then whether the keys it shows are its own. */
import { Alert, Button, Form, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { problemOf } from '../../api/problem'
import { addHost, sessionQuery, showHostKeys } from '../../api/queries'
import type { NewHost, ShownHost } from '../../api/types'
import { ProblemAlert } from '../../parts/ProblemAlert'
import { PlainTable } from '../../parts/PlainTable'
import { TextField } from '../../parts/TextField'
import { showToast } from '../../parts/toasts'
import { addHost as words, common } from '../../text/en'

export function AddHost() {
  const { data: session } = useQuery(sessionQuery)
  const [isOpen, setOpen] = useState(false)
  if (session?.role !== 'administrator') return null
  return (
    <>
      <Button variant="secondary" onClick={() => setOpen(true)}>
        {words.open}
      </Button>
      {isOpen && <AddHostDialog onClose={() => setOpen(false)} />}
    </>
  )
}

/** What the fields hold; empty where nothing was written. */
interface Wanted {
  uri: string
  name: string
  keyFile: string
}

function AddHostDialog({ onClose }: { onClose: () => void }) {
  const [wanted, setWanted] = useState<Wanted>({ uri: '', name: '', keyFile: '' })
  const [shown, setShown] = useState<ShownHost | undefined>(undefined)
  const { error, isWorking, work } = useWork()
  const navigate = useNavigate()
  const add = (keys: readonly string[]) =>
    work(async () => {
      const host = await addHost(newHost(wanted, keys))
      showToast({ variant: 'success', title: words.added(host.name), body: words.addedBody })
      onClose()
      void navigate({ to: '/hosts/$id', params: { id: host.id } })
    })
  const look = () =>
    work(async () => {
      const found = await showHostKeys(wanted.uri.trim())
      if (found.ssh || (found.warning ?? undefined) !== undefined) setShown(found)
      else await add([])
    })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (isWorking || wanted.uri.trim() === '') return
    if (shown === undefined) void look()
    else void add(shown.keys.map((key) => key.fingerprint))
  }
  return (
    <Modal
      isOpen
      variant="medium"
      onClose={onClose}
      aria-labelledby="add-host-title"
      elementToFocus="#add-host-uri"
    >
      <ModalHeader title={words.title} labelId="add-host-title" />
      <ModalBody>
        <Form id="add-host" onSubmit={submit} noValidate>
          {shown === undefined ? (
            <Fields wanted={wanted} error={error} onChange={setWanted} />
          ) : (
            <Shown shown={shown} />
          )}
          {error !== undefined && fieldOf(error) === undefined && <ProblemAlert error={error} />}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button
          type="submit"
          form="add-host"
          variant="primary"
          isLoading={isWorking}
          isDisabled={wanted.uri.trim() === ''}
          spinnerAriaValueText={isWorking ? words.working : undefined}
        >
          {shown?.ssh === true ? words.confirm : words.submit}
        </Button>
        <Button variant="link" onClick={shown === undefined ? onClose : () => setShown(undefined)}>
          {shown === undefined ? common.cancel : words.back}
        </Button>
      </ModalFooter>
    </Modal>
  )
}

interface FieldsProps {
  wanted: Wanted
  error: unknown
  onChange: (wanted: Wanted) => void
}

function Fields({ wanted, error, onChange }: FieldsProps) {
  const wrong = (field: string) => {
    const problem = error === undefined ? undefined : problemOf(error)
    if (problem?.field !== field) return undefined
    return [problem.message, problem.hint].filter((part) => part !== undefined).join('. ')
  }
  return (
    <>
      <p>{words.body}</p>
      <TextField
        id="add-host-uri"
        label={words.uri}
        value={wanted.uri}
        error={wrong('uri')}
        hint={words.uriHint}
        placeholder={words.uriExample}
        onChange={(uri) => onChange({ ...wanted, uri })}
      />
      <TextField
        id="add-host-name"
        label={words.name}
        value={wanted.name}
        error={wrong('name')}
        hint={words.nameHint}
        onChange={(name) => onChange({ ...wanted, name })}
      />
      {isOverSsh(wanted.uri) && (
        <TextField
          id="add-host-key"
          label={words.keyFile}
          value={wanted.keyFile}
          error={wrong('key_file')}
          hint={words.keyFileHint}
          onChange={(keyFile) => onChange({ ...wanted, keyFile })}
        />
      )}
    </>
  )
}

function Shown({ shown }: { shown: ShownHost }) {
  return (
    <div className="stack">
      {(shown.warning ?? undefined) !== undefined && (
        <Alert component="p" isInline variant="warning" title={shown.warning} />
      )}
      {shown.ssh && (
        <>
          <p>{words.compare(shown.name ?? words.theHost)}</p>
          <PlainTable
            label={words.keys}
            heads={[words.kind, words.fingerprint]}
            rows={shown.keys.map((key) => [key.kind, key.fingerprint])}
            empty={common.dash}
          />
          <p>{words.howToCompare}</p>
          <p className="command" translate="no">
            {words.compareCommand}
          </p>
        </>
      )}
    </div>
  )
}

function isOverSsh(uri: string): boolean {
  return uri.trim().split('://')[0]?.endsWith('+ssh') ?? false
}

function newHost({ uri, name, keyFile }: Wanted, keys: readonly string[]): NewHost {
  const given = (text: string) => (text.trim() === '' ? undefined : text.trim())
  return {
    uri: uri.trim(),
    name: given(name),
    key_file: isOverSsh(uri) ? given(keyFile) : undefined,
    host_keys: [...keys],
  }
}

/** The field that an error is about, if it is one of these. */
function fieldOf(error: unknown): string | undefined {
  const { field } = problemOf(error)
  return field !== undefined && ['uri', 'name', 'key_file'].includes(field) ? field : undefined
}

/** One request at a time, and what the last one failed with. */
function useWork() {
  const [error, setError] = useState<unknown>(undefined)
  const [isWorking, setWorking] = useState(false)
  const work = async (deed: () => Promise<void>) => {
    setWorking(true)
    setError(undefined)
    try {
      await deed()
    } catch (thrown) {
      setError(thrown)
    }
    setWorking(false)
  }
  return { error, isWorking, work }
}
