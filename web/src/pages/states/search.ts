/** The query part of the address of `/states`: what is asked, and the job that answers it. */

export interface StatesSearch {
  target?: string
  sls?: string
  /** Job of the plans. */
  plan?: string
}

export function parseStatesSearch(raw: Record<string, unknown>): StatesSearch {
  return {
    ...(typeof raw.target === 'string' && { target: raw.target }),
    ...(typeof raw.sls === 'string' && { sls: raw.sls }),
    ...(typeof raw.plan === 'string' && { plan: raw.plan }),
  }
}
