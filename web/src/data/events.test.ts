import { expect, test } from 'vitest'
import { groupOf, isBad, startsIn, type HostEvent } from './events'

const event = (kind: string, fields: HostEvent['fields'] = {}): HostEvent => ({ time_ms: 0, kind, subject: 'nginx', fields })

test('a service that the system started again counts as often as it was, and is worth a look', () => {
  const restarted = event('service_restarted', { restarts: 3 })
  expect([groupOf(restarted), startsIn(restarted), isBad(restarted)]).toEqual(['services', 3, true])
  const byHand = event('service_restarted')
  expect([startsIn(byHand), isBad(byHand)]).toEqual([1, false])
  expect(['service_started', 'service_stopped', 'service_starting'].map((kind) => startsIn(event(kind)))).toEqual([1, 0, 0])
  expect(startsIn(event('service_starting', { restarts: 2 }))).toBe(2)
})
