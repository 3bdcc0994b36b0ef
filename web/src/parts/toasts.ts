/** Short messages about what the person has just done. Never the only place of an information. */
import { makeStore } from './store'

export interface Toast {
  id: number
  variant: 'success' | 'danger' | 'info'
  title: string
  body?: string
  hint?: string
}

export const toastStore = makeStore<readonly Toast[]>([])

let lastId = 0
const most = 5

/** Errors stay until they are closed, anything else fades after six seconds. */
export function showToast(toast: Omit<Toast, 'id'>): void {
  lastId += 1
  const id = lastId
  toastStore.set((toasts) => [...toasts, { ...toast, id }].slice(-most))
  if (toast.variant !== 'danger') setTimeout(() => closeToast(id), 6000)
}

export function closeToast(id: number): void {
  toastStore.set((toasts) => toasts.filter((toast) => toast.id !== id))
}
