import { expect, test } from 'vitest'
import { ways } from './pagers'

test('each way says what became of it, and why', () => {
  const one = { sent_ms: 0, answer_by_ms: 1, answered_ms: null, state: 'missed' as const, ways: { mail: { state: 'delivered' as const }, 'sms +49': { state: 'failed' as const, problem: 'no credit' } } }
  expect(ways(one)).toBe('mail: delivered, sms +49: failed (no credit)')
})
