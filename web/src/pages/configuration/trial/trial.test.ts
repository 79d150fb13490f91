import { expect, test } from 'vitest'
import { moved, rounded, stepFor } from './level'
import { comparedNumber } from './rules'

test('the number that is compared with is found with its sign', () => {
  expect(comparedNumber('rate(x[5m]) > 0.5')).toEqual({ from: 14, to: 17, value: 0.5 })
  expect(comparedNumber('temperature < -3 # cold')).toEqual({ from: 14, to: 16, value: -3 })
  expect(comparedNumber('a - 3')).toBeNull()
  expect(comparedNumber('a > b')).toBeNull()
  expect(comparedNumber('a > 5m')).toBeNull()
})

test('a threshold moves in round steps', () => {
  expect(stepFor(0, 100)).toBe(1)
  expect(stepFor(0, 8e9)).toBe(1e8)
  expect(rounded(0.1 + 0.2, 0.1)).toBe(0.3)
  const scale = { bottom: 0, top: 100, step: 1 }
  expect(moved('ArrowUp', 90, scale)).toBe(91)
  expect(moved('PageDown', 90, scale)).toBe(80)
  expect(moved('End', 90, scale)).toBe(100)
  expect(moved('a', 90, scale)).toBeNull()
})
