/** A labelled line of text, with what is wrong with it or what it means below. Nothing is corrected for the user. */
import { FormGroup, FormHelperText, HelperText, HelperTextItem, TextInput } from '@patternfly/react-core'

interface TextFieldProps {
  id: string
  label: string
  type?: 'text' | 'password'
  value: string
  error?: string | undefined
  hint?: string
  placeholder?: string
  autoComplete?: string
  onChange: (value: string) => void
}

export function TextField({
  id,
  label,
  type = 'text',
  value,
  error,
  hint,
  placeholder,
  autoComplete = 'off',
  onChange,
}: TextFieldProps) {
  const help = error ?? hint
  return (
    <FormGroup label={label} fieldId={id}>
      <TextInput
        id={id}
        name={id}
        type={type}
        value={value}
        placeholder={placeholder}
        autoComplete={autoComplete}
        autoCapitalize="none"
        spellCheck={false}
        validated={error === undefined ? 'default' : 'error'}
        aria-invalid={error !== undefined}
        aria-describedby={help === undefined ? undefined : `${id}-help`}
        onChange={(_event, next) => onChange(next)}
      />
      {help !== undefined && (
        <FormHelperText>
          <HelperText id={`${id}-help`}>
            <HelperTextItem variant={error === undefined ? 'default' : 'error'}>{help}</HelperTextItem>
          </HelperText>
        </FormHelperText>
      )}
    </FormGroup>
  )
}
