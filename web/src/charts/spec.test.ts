import { expect, it } from 'vitest'
import { gridFor } from './frame'
import { combine, join, perInstance, single, type Column, type Frame } from './spec'

const column = (labels: Record<string, string>, ...values: number[]): Column => ({ labels, values: Float64Array.from(values) })
const frame = { keep: (_name: string, choose: () => string[]) => choose(), picked: [], partial: false } as unknown as Frame

it('joins columns and is missing only where all are', () => {
  const columns = [column({}, 1, NaN, NaN), column({}, 2, 3, NaN)]
  expect([...(join(columns, 'sum')?.values ?? [])]).toEqual([3, 3, NaN])
  expect([...(join(columns, 'max')?.values ?? [])]).toEqual([2, 3, NaN])
})

it('is missing where one side of a difference is', () => {
  expect([...(combine(column({}, 5, 5), column({}, 2, NaN), (a, b) => a - b)?.values ?? [])]).toEqual([3, NaN])
})

it('takes the series without labels as the total', () => {
  expect(single([column({ drive: '/' }, 1), column({}, 2)])?.values[0]).toBe(2)
})

it('draws up to eight instances in the order people count', () => {
  const lines = perInstance(frame, 'x', [column({ disk: 'sd10' }, 1), column({ disk: 'sd9' }, 1)], 'disk', { how: 'sum', label: 'other' })
  expect(lines.map((line) => [line.label, line.color])).toEqual([['sd9', 's1'], ['sd10', 's2']])
})

it('draws the seven busiest of many and joins the rest', () => {
  const columns = Array.from({ length: 12 }, (_, i) => column({ adapter: `eth${i}` }, i))
  const lines = perInstance(frame, 'x', columns, 'adapter', { how: 'sum', label: 'other' })
  expect(lines.map((line) => line.label)).toEqual(['eth5', 'eth6', 'eth7', 'eth8', 'eth9', 'eth10', 'eth11', 'other'])
  expect(lines.at(-1)?.values[0]).toBe(0 + 1 + 2 + 3 + 4)
})

it('covers a stretch of time with whole buckets', () => {
  expect(gridFor(10_500, 20_500, 1000)).toEqual({ firstMs: 10_000, stepMs: 1000, count: 11 })
})

it('what somebody asked for is among the seven, and the rest of a part is not called all others', () => {
  const columns = Array.from({ length: 12 }, (_, i) => column({ disk: `d${i}` }, i))
  const lines = perInstance({ ...frame, picked: ['d0'], partial: true }, 'x', columns, 'disk', { how: 'sum', label: 'others' })
  expect(lines.map(({ label }) => label)).toEqual(['d0', 'd6', 'd7', 'd8', 'd9', 'd10', 'd11', 'next 5'])
})
