import { expect, it } from 'vitest'
import { pinched } from './gestures'

const range = { fromMs: 0, toMs: 1000 }

it('zooms in when the fingers part, and keeps the moments under them', () => {
  const { fromMs, toMs } = pinched(range, [0.4, 0.6], [0.2, 0.8])
  expect(fromMs).toBeCloseTo(1000 / 3)
  expect(toMs).toBeCloseTo(2000 / 3)
})

it('zooms out when they meet, and never without end', () => {
  const { fromMs, toMs } = pinched(range, [0.2, 0.8], [0.4, 0.6])
  expect(fromMs).toBeCloseTo(-1000)
  expect(toMs).toBeCloseTo(2000)
  expect(Number.isFinite(pinched(range, [0.2, 0.8], [0.5, 0.5]).toMs)).toBe(true)
})

it('does not care which finger is which', () => {
  const [one, other] = [pinched(range, [0.6, 0.4], [0.8, 0.2]), pinched(range, [0.4, 0.6], [0.2, 0.8])]
  expect(one.fromMs).toBeCloseTo(other.fromMs)
  expect(one.toMs).toBeCloseTo(other.toMs)
})
