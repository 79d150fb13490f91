import { describe, expect, it } from 'vitest'
import { baselineAddress, usualAt, usualOf, type Baseline } from './baseline'

const HOUR = 3_600_000
const NOW = 500_000 * HOUR + 1234

describe('baselineAddress', () => {
  const span = { fromMs: NOW - 900_000, toMs: NOW, oldestMs: NOW - 400 * HOUR }

  it('is the same for a whole hour', () => {
    const address = (byMs: number) => baselineAddress({ metric: 'cpu_usage' }, 'h', { ...span, fromMs: span.fromMs + byMs, toMs: span.toMs + byMs })
    expect(address(0)).toBe(address(10 * 60_000))
    expect(address(0)).not.toBe(address(HOUR))
  })

  it('says the query as the server reads it', () => {
    const address = baselineAddress({ metric: 'm', match: { mode: 'a=b&c' }, rate: true, by: [], agg: 'max' }, 'h', span)
    const params = new URLSearchParams(address?.split('?')[1])
    expect(params.getAll('match')).toEqual(['host=h', 'mode=a=b&c'])
    expect([params.get('rate'), params.getAll('by'), params.get('agg')]).toEqual(['true', [''], 'max'])
  })

  it('asks nothing of a host that is known for less than two weeks, nor for more than a month', () => {
    expect(baselineAddress({ metric: 'm' }, 'h', { ...span, oldestMs: NOW - 335 * HOUR })).toBeNull()
    expect(baselineAddress({ metric: 'm' }, 'h', { ...span, oldestMs: null })).toBeNull()
    expect(baselineAddress({ metric: 'm' }, 'h', { fromMs: NOW - 800 * HOUR, toMs: NOW, oldestMs: 0 })).toBeNull()
  })
})

describe('usualOf', () => {
  const answer: Baseline = { from_ms: 0, step_ms: HOUR, series: [{ labels: {}, low: [1, null], mid: [2, null], high: [3, null], weeks: [2, 1] }] }

  it('is in the unit of the chart', () => {
    const usual = usualOf(answer, (value) => value * 10)
    expect(usualAt(usual, HOUR - 1)).toEqual({ low: 10, high: 30 })
    expect(usualAt(usual, HOUR)).toBeNull()
    expect(usualAt(usual, -1)).toBeNull()
  })

  it('is nothing where no hour is known', () => {
    expect(usualOf(null, Number)).toBeNull()
    expect(usualOf({ ...answer, series: [] }, Number)).toBeNull()
    expect(usualOf({ ...answer, series: [{ labels: {}, low: [null], mid: [null], high: [null], weeks: [1] }] }, Number)).toBeNull()
  })
})
