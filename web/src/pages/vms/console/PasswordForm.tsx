/** Asks for the password that the VM's definition sets for its console. */
import { Button, Form, FormGroup, TextInput } from '@patternfly/react-core'
import { useState } from 'react'
import { consoleText as words } from '../../../text/en'

export function PasswordForm({ onSubmit }: { onSubmit: (password: string) => void }) {
  const [password, setPassword] = useState('')
  return (
    <Form
      className="console-password"
      onSubmit={(event) => {
        event.preventDefault()
        onSubmit(password)
      }}
    >
      <p role="alert">{words.needsPassword}</p>
      <FormGroup label={words.password} fieldId="console-password">
        <TextInput
          id="console-password"
          type="password"
          autoComplete="off"
          value={password}
          onChange={(_event, next) => setPassword(next)}
        />
      </FormGroup>
      <Button type="submit" variant="primary">
        {words.sendPassword}
      </Button>
    </Form>
  )
}
