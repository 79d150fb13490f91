import { expect, it } from 'vitest'
import { retryDelay } from './link'
import { decode } from './protocol'

it('retries after a second, then doubles up to half a minute', () => {
  expect([0, 1, 2, 3, 4, 5, 20].map((attempt) => retryDelay(attempt, 0.5))).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
})

it('spreads the retries by a fifth', () => {
  expect([retryDelay(0, 0), retryDelay(0, 1)].map(Math.round)).toEqual([800, 1200])
})

it.each(['', 'null', '[]', '{}', '{"type":"tick"}', '{"type":"history","step_ms":0,"series":[]}', '{"type":"weather"}', '{"type":"series","index":-1}'])(
  'a message it does not know is ignored: %s',
  (text) => {
    expect(decode(text)).toBeNull()
  },
)
