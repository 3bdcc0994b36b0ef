/** A button that, when its action is refused, stays and tells the reason on focus and hover. */
import { Button, Tooltip, type ButtonProps } from '@patternfly/react-core'

interface ActionButtonProps extends Omit<ButtonProps, 'isDisabled' | 'isAriaDisabled'> {
  /** Undefined when the action is allowed. */
  reason: string | undefined
}

export function ActionButton({ reason, children, ...button }: ActionButtonProps) {
  const plain = (
    <Button {...button} isAriaDisabled={reason !== undefined}>
      {children}
    </Button>
  )
  if (reason === undefined) return plain
  return <Tooltip content={reason}>{plain}</Tooltip>
}
