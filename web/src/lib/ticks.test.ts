import { describe, expect, it } from 'vitest'
import { timeLabel, timeTicks, valueLabel, valueScale } from './ticks'

describe('valueScale', () => {
  it.each([
    [1.2 * 2 ** 30, 'bytes', ['0', '0.5 GiB', '1 GiB', '1.5 GiB']],
    [803 * 2 ** 20, 'byteRate', ['0', '0.2 GiB', '0.4 GiB', '0.6 GiB', '0.8 GiB']],
    [70, 'percent', ['0', '20%', '40%', '60%', '80%']],
    [0, 'byteRate', ['0', '0.5 KiB', '1 KiB']],
    [2.3e6, 'bitRate', ['0', '1 Mbit', '2 Mbit', '3 Mbit']],
    [0.031, 'seconds', ['0', '10 ms', '20 ms', '30 ms', '40 ms']],
    [12_000, 'countRate', ['0', '5k', '10k', '15k']],
    [900, 'count', ['0', '500', '1k']],
  ] as const)('%d %s is labelled %j', (max, unit, labels) => {
    const { top, ticks, power } = valueScale(max, unit)
    expect(top).toBeGreaterThanOrEqual(max)
    expect(ticks.map((tick) => valueLabel(tick, power, unit))).toEqual(labels)
  })

  it('has between one and four steps for any size', () => {
    for (let max = 1e-6; max < 1e15; max *= 1.7) {
      const { ticks } = valueScale(max, 'count')
      expect(ticks.length, String(max)).toBeGreaterThanOrEqual(2)
      expect(ticks.length, String(max)).toBeLessThanOrEqual(5)
    }
  })
})

describe('timeTicks', () => {
  it('are round and fit', () => {
    const from = Date.UTC(2026, 10, 22, 2, 20, 30)
    const { stepMs, at } = timeTicks(from, from + 3_600_000, 500, 80, 'utc')
    expect(stepMs).toBe(600_000)
    expect(at.map((tick) => timeLabel(tick, stepMs, 'utc'))).toEqual(['02:30', '02:40', '02:50', '03:00', '03:10', '03:20'])
  })

  it('name the day at midnight', () => {
    const from = Date.UTC(2026, 10, 21, 18)
    const { stepMs, at } = timeTicks(from, from + 86_400_000, 500, 80, 'utc')
    expect(at.map((tick) => timeLabel(tick, stepMs, 'utc'))).toContain('22 Nov')
  })
})

it('goes below zero where values are', () => {
  const { bottom, top, ticks } = valueScale(40, 'count', -90)
  expect(bottom).toBeLessThanOrEqual(-90)
  expect(top).toBeGreaterThanOrEqual(40)
  expect(ticks).toContain(0)
  expect(ticks.length).toBeLessThanOrEqual(7)
  expect(valueScale(-1, 'count', -5).top).toBe(0)
})
