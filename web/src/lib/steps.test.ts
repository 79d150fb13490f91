import { expect, it } from 'vitest'
import { stepFor } from './steps'

it.each([
  [5 * 60_000, 500, 1000, 1000],
  [15 * 60_000, 500, 1000, 2000],
  [3_600_000, 500, 1000, 10_000],
  [86_400_000, 500, 1000, 300_000],
  [30 * 86_400_000, 500, 1000, 7_200_000],
  [10_000, 500, 5000, 5000],
  [400 * 365 * 86_400_000, 500, 1000, 292 * 86_400_000],
])('a span of %i ms over %i px at %i ms asks for %i ms', (span, pixels, interval, step) => {
  expect(stepFor(span, pixels, interval)).toBe(step)
})
