import { describe, expect, it } from 'vitest'
import { between, clock, duration, format, moment, SteadyUnit, text, type Unit } from './format'

describe('text', () => {
  it.each<[number | null, Unit, string]>([
    [null, 'percent', '–'],
    [NaN, 'bytes', '–'],
    [0, 'percent', '0 %'],
    [0.02, 'percent', '<0.1 %'],
    [9.84, 'percent', '9.8 %'],
    [66, 'percent', '66.0 %'],
    [100, 'percent', '100 %'],
    [0, 'bytes', '0 B'],
    [999, 'bytes', '999 B'],
    [1000, 'bytes', '0.98 KiB'],
    [1023, 'bytes', '1.00 KiB'],
    [1024, 'bytes', '1.00 KiB'],
    [62.7 * 2 ** 30, 'bytes', '62.7 GiB'],
    [1e15, 'bytes', '909 TiB'],
    [803 * 2 ** 20, 'byteRate', '803 MiB/s'],
    [692e6, 'bitRate', '692 Mbit/s'],
    [999_600, 'bitRate', '1.00 Mbit/s'],
    [-2048, 'bytes', '-2.00 KiB'],
    [412, 'count', '412'],
    [4, 'count', '4'],
    [0.31, 'count', '0.31'],
    [12_345, 'count', '12.3 k'],
    [12_345, 'countRate', '12.3 k/s'],
    [15, 'countRate', '15.0/s'],
    [0.0625, 'seconds', '62.5 ms'],
    [0.00005, 'seconds', '50.0 µs'],
    [2.5, 'seconds', '2.50 s'],
  ])('%s as %s is "%s"', (value, unit, expected) => {
    expect(text(value, unit)).toBe(expected)
  })

  it('never has four digits before the point', () => {
    for (const unit of ['bytes', 'byteRate', 'bitRate', 'count', 'countRate'] as const) {
      for (let value = 1; value < 1e16; value *= 1.37) {
        expect(format(value, unit).number.replace(/\..*/, '').length, `${value} ${unit}`).toBeLessThanOrEqual(3)
      }
    }
  })
})

describe('SteadyUnit', () => {
  it('takes a larger unit at once and a smaller one after ten seconds', () => {
    const steady = new SteadyUnit()
    expect(steady.power(500, 'bytes', 0)).toBe(0)
    expect(steady.power(5 * 2 ** 20, 'bytes', 1000)).toBe(2)
    expect(steady.power(5 * 2 ** 10, 'bytes', 2000)).toBe(2)
    expect(steady.power(5 * 2 ** 10, 'bytes', 11_999)).toBe(2)
    expect(steady.power(5 * 2 ** 10, 'bytes', 12_000)).toBe(1)
  })

  it('starts its ten seconds again when the value grows back', () => {
    const steady = new SteadyUnit()
    steady.power(2 ** 20, 'bytes', 0)
    steady.power(2 ** 10, 'bytes', 1000)
    steady.power(2 ** 20, 'bytes', 9000)
    expect(steady.power(2 ** 10, 'bytes', 12_000)).toBe(2)
  })
})

describe('durations and times', () => {
  it.each([
    [0, '0 s'],
    [400, '0 s'],
    [645_000, '10 m 45 s'],
    [3_600_000, '1 h'],
    [143 * 86_400_000 + 3_600_000, '143 d 1 h'],
    [NaN, '–'],
  ])('%d ms is %s', (ms, expected) => {
    expect(duration(ms)).toBe(expected)
  })

  it('shows the date only when it is not today', () => {
    const now = Date.UTC(2026, 10, 22, 12, 0, 0)
    expect(clock(now, 'utc')).toBe('12:00:00')
    expect(moment(now - 3_600_000, 'utc', now)).toBe('11:00:00')
    expect(moment(now - 86_400_000, 'utc', now, false)).toBe('21 Nov 12:00')
  })
})

describe('between', () => {
  it('names the unit once if it is the same', () => {
    expect(between(format(12, 'percent'), format(30, 'percent'), '–')).toBe('12.0–30.0 %')
    expect(between(format(900, 'bytes'), format(2048, 'bytes'), ' and ')).toBe('900 B and 2.00 KiB')
    expect(between(format(1, 'count'), format(4, 'count'), '–')).toBe('1–4')
  })
})
