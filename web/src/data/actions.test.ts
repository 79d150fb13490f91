import { expect, test } from 'vitest'
import { isOpen, newestOf, offersFor, type Attempt } from './actions'

const offer = { action: 'restart', order: 'restart the service a b', approvals: 2, dry_run: false }
const attempt = (change: Partial<Attempt>): Attempt => ({ id: '1', action: 'restart', order: offer.order, state: 'proposed', proposed_ms: 1, approved_by: ['anna'], outcome: '', ...change })

test('an offer is shown with the newest attempt at exactly this', () => {
  const attempts = [attempt({ id: '4', order: 'restart the service b' }), attempt({ id: '3', action: 'other' }), attempt({ id: '2', state: 'finished' }), attempt({ id: '1' })]
  expect(newestOf(offer, attempts)?.id).toBe('2')
  expect(newestOf(offer, [])).toBeUndefined()
})

test('what waits or is under way is open', () => {
  expect((['proposed', 'approved', 'started', 'done', 'finished', 'refused', 'unknown'] as const).map((state) => isOpen(attempt({ state })))).toEqual([true, true, true, true, false, false, false])
})

test('names of services are escaped', () => {
  expect(offersFor('a&b c')).toBe('/api/remediations/offers?service=a%26b%20c')
})
