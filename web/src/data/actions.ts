/** Actions that people may ask for, and attempts, as docs/api/http.md describes them. */

export interface Offer {
  action: string
  order: string
  approvals: number
  dry_run: boolean
}

export interface Attempt {
  id: string
  action: string
  order: string
  state: 'proposed' | 'approved' | 'started' | 'done' | 'helped' | 'in_vain' | 'failed' | 'finished' | 'refused' | 'overtaken' | 'unknown'
  proposed_ms: number
  approved_by: readonly string[]
  outcome: string
}

export interface Attempts {
  /** The newest first. */
  attempts: readonly Attempt[]
}

export const offersFor = (service: string): string => `/api/remediations/offers?service=${encodeURIComponent(service)}`

/** The newest attempt at exactly this. */
export function newestOf(offer: Offer, attempts: readonly Attempt[]): Attempt | undefined {
  return attempts.find(({ action, order }) => action === offer.action && order === offer.order)
}

export const isOpen = ({ state }: Attempt): boolean => ['proposed', 'approved', 'started', 'done'].includes(state)
