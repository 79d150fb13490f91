import { describe, expect, it } from 'vitest'
import { commonGaps, holdShortRuns, rhythm, SeriesBuffer } from './buffer'

const column = (...values: (number | null)[]) => Float64Array.from(values, (value) => value ?? NaN)

describe('SeriesBuffer', () => {
  it('keeps one value per second when the step is the interval', () => {
    const buffer = new SeriesBuffer(10, 1000, 1000)
    buffer.fold(5003, 1)
    buffer.fold(6001, 4)
    expect([buffer.at(5000, 'avg'), buffer.at(6000, 'max'), buffer.latest]).toEqual([1, 4, 4])
  })

  it('folds live samples into mean and peak of their bucket', () => {
    const buffer = new SeriesBuffer(10, 5000, 1000)
    for (const [time, value] of [[10000, 2], [11000, 8], [12000, 2]] as const) buffer.fold(time, value)
    expect([buffer.at(10000, 'avg'), buffer.at(14999, 'max')]).toEqual([4, 8])
  })

  it('weighs a bucket that came with the history by the time it covers', () => {
    const buffer = new SeriesBuffer(10, 10000, 1000)
    buffer.load(1, [10], [12])
    buffer.fold(14000, 20)
    expect(buffer.at(10000, 'avg')).toBeCloseTo(12)
    expect(buffer.at(10000, 'max')).toBe(20)
  })

  it('takes a second history over the first without losing what only the live stream had', () => {
    const buffer = new SeriesBuffer(10, 1000, 1000)
    buffer.load(1, [1, 2, null], undefined)
    buffer.fold(4000, 4)
    buffer.load(3, [3, null, 5], undefined)
    expect([1, 2, 3, 4, 5].map((second) => buffer.at(second * 1000, 'avg'))).toEqual([1, 2, 3, 4, 5])
  })

  it('writes a repeated sample once', () => {
    const buffer = new SeriesBuffer(10, 1000, 1000)
    buffer.fold(1000, 3)
    buffer.fold(1000, 3)
    expect(buffer.at(1000, 'avg')).toBe(3)
  })
})

describe('gaps', () => {
  it('knows the rhythm of a metric that is read every third bucket', () => {
    expect(rhythm(column(1, null, null, 2, null, null, 3), true)).toBe(4)
  })

  it('lets one missing second pass as jitter but not one missing bucket of many seconds', () => {
    expect(rhythm(column(1, 2, null, 3, 4), true)).toBe(1)
    expect(rhythm(column(1, 2, null, 3, 4), false)).toBe(0)
  })

  it('holds short runs, leaves long ones and never extends the end', () => {
    const values = column(null, 1, null, 2, null, null, null, 3, null)
    holdShortRuns(values, 2)
    expect([...values]).toEqual([NaN, 1, 1, 2, NaN, NaN, NaN, 3, NaN])
  })

  it('finds the runs that all columns miss', () => {
    const columns = [column(1, null, null, 2, null, 4), column(1, null, null, null, null, 3)]
    expect(commonGaps(columns, 0, 6, 2)).toEqual([{ from: 1, to: 3 }, { from: 4, to: 5 }])
  })

  it('counts a run at an edge only when it is long enough', () => {
    const columns = [column(null, 1, 2, null, null, null)]
    expect(commonGaps(columns, 0, 6, 3)).toEqual([{ from: 3, to: 6 }])
    expect(commonGaps(columns, 0, 6, 4)).toEqual([])
  })

  it('is one gap when nothing was recorded', () => {
    expect(commonGaps([column(null, null, null)], 0, 3, 2)).toEqual([{ from: 0, to: 3 }])
  })
})
