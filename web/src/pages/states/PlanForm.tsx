/** Which hosts, which state files. */
import {
  Form,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  TextInput,
} from '@patternfly/react-core'
import { useState, type FormEvent } from 'react'
import { ActionButton } from '../../parts/power/ActionButton'
import { states as words } from '../../text/en'

export interface Asked {
  /** Glob over host names. */
  target: string
  /** Names separated by blanks or commas; none for what the top file assigns. */
  sls: string
}

interface PlanFormProps extends Asked {
  isWorking: boolean
  /** Why it cannot be asked. */
  reason: string | undefined
  onPlan: (asked: Asked) => Promise<void>
}

export function PlanForm({ target, sls, isWorking, reason, onPlan }: PlanFormProps) {
  const [asked, setAsked] = useState<Asked>({ target, sls })
  const [isMissing, setMissing] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (isWorking || reason !== undefined) return
    const trimmed = { target: asked.target.trim(), sls: asked.sls.trim() }
    setMissing(trimmed.target === '')
    if (trimmed.target === '') document.getElementById('plan-target')?.focus()
    else void onPlan(trimmed)
  }
  return (
    <Form className="plan-form" aria-label={words.form} onSubmit={submit} noValidate>
      <FormGroup label={words.target} fieldId="plan-target">
        <TextInput
          id="plan-target"
          value={asked.target}
          autoCapitalize="none"
          spellCheck={false}
          validated={isMissing ? 'error' : 'default'}
          aria-invalid={isMissing}
          aria-describedby="plan-target-help"
          onChange={(_event, next) => setAsked({ ...asked, target: next })}
        />
        <Help
          id="plan-target-help"
          text={isMissing ? words.targetMissing : words.targetHelp}
          isError={isMissing}
        />
      </FormGroup>
      <FormGroup label={words.sls} fieldId="plan-sls">
        <TextInput
          id="plan-sls"
          value={asked.sls}
          autoCapitalize="none"
          spellCheck={false}
          aria-describedby="plan-sls-help"
          onChange={(_event, next) => setAsked({ ...asked, sls: next })}
        />
        <Help id="plan-sls-help" text={words.slsHelp} />
      </FormGroup>
      <div className="plan-submit">
        <ActionButton
          type="submit"
          reason={reason}
          isLoading={isWorking}
          spinnerAriaValueText={isWorking ? words.planning : undefined}
        >
          {words.plan}
        </ActionButton>
      </div>
    </Form>
  )
}

function Help({ id, text, isError = false }: { id: string; text: string; isError?: boolean }) {
  return (
    <FormHelperText>
      <HelperText id={id}>
        <HelperTextItem variant={isError ? 'error' : 'default'}>{text}</HelperTextItem>
      </HelperText>
    </FormHelperText>
  )
}
