import { Alert, AlertActionCloseButton, AlertGroup } from '@patternfly/react-core'
import { useStore } from '../parts/store'
import { closeToast, toastStore } from '../parts/toasts'
import { toasts as words } from '../text/en'

/** One function for good: the group would make itself a new place for each. */
const place = () => document.getElementById('main') ?? document.body

export function Toasts() {
  const toasts = useStore(toastStore)
  return (
    <AlertGroup appendTo={place} isToast isLiveRegion aria-label={words.region}>
      {toasts.map((toast) => (
        <Alert
          component="p"
          key={toast.id}
          variant={toast.variant}
          title={toast.title}
          actionClose={<AlertActionCloseButton onClose={() => closeToast(toast.id)} />}
        >
          {toast.body !== undefined && <p>{toast.body}</p>}
          {toast.hint !== undefined && <p>{toast.hint}</p>}
        </Alert>
      ))}
    </AlertGroup>
  )
}
