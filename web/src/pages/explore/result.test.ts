import { expect, it } from 'vitest'
import type { Matrix } from '../../data/prometheus'
import type { MetricInfo } from '../../data/protocol'
import { questionFor, seriesOf, unitOf } from './result'

const grid = { firstMs: 10_000, stepMs: 1000, count: 3 }
const matrix = (...result: Matrix[]) => ({ resultType: 'matrix' as const, result })
const metric = (name: string, unit: string, kind = 'gauge'): MetricInfo => ({ name, unit, kind, help: '', series: 1 })
const metrics = new Map([metric('disk_read_bytes', 'bytes', 'counter'), metric('cpu_usage', 'percent'), metric('process_count', 'count')].map((each) => [each.name, each]))

it('puts points where they belong, and leaves the rest missing', () => {
  const [series] = seriesOf([matrix({ metric: { __name__: 'up', host: 'h', job: 'a"b' }, values: [[10, '1'], [12, '3']] })], grid)
  expect(series?.label).toBe('up{job="a\\"b"}')
  expect([...(series?.values ?? [])]).toEqual([1, NaN, 3, NaN])
  expect(series).toMatchObject({ last: 3, low: 1, high: 3, mean: 2 })
})

it('names the host where others have another, and keeps series of all hosts apart', () => {
  const of = (host: string): Matrix => ({ metric: { __name__: 'up', host }, values: [[10, '1']] })
  const found = seriesOf([matrix(of('a'), of('b'))], grid)
  expect(found.map(({ label }) => label)).toEqual(['up{host="a"}', 'up{host="b"}'])
  expect(new Set(found.map(({ key }) => key)).size).toBe(2)
  expect(seriesOf([matrix(of('a'))], grid)[0]?.label).toBe('up')
})

it('draws infinity and "not a number" as missing, and still tells them', () => {
  const [series] = seriesOf([matrix({ metric: {}, values: [[10, '+Inf'], [11, 'NaN'], [12, '-Inf']] })], grid)
  expect([...(series?.values ?? [])]).toEqual([NaN, NaN, NaN, NaN])
  expect(series?.last).toBe(-Infinity)
})

it('gives the eight largest a colour and tells queries apart', () => {
  const many = matrix(...Array.from({ length: 10 }, (_, i): Matrix => ({ metric: { i: String(i) }, values: [[10, String(i)]] })))
  const found = seriesOf([many, { resultType: 'scalar', result: [10, '99'] }], grid)
  expect(found.map((series) => series.color)).toEqual(['s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 'neutral', 'neutral', 'neutral'])
  expect(found.slice(0, 2).map((series) => series.label)).toEqual(['B scalar', 'A {i="9"}'])
})

it('knows the unit of simple questions only', () => {
  expect(unitOf('disk_read_bytes', metrics)).toBe('bytes')
  expect(unitOf('sum(rate(disk_read_bytes[5m]))', metrics)).toBe('byteRate')
  expect(unitOf('avg_over_time(cpu_usage[1h])', metrics)).toBe('percent')
  expect(unitOf('disk_read_bytes / process_count', metrics)).toBe('count')
  expect(unitOf('count(cpu_usage)', metrics)).toBe('count')
  expect(unitOf('\\System\\Processes', metrics)).toBe('count')
})

it('asks for the rate of a counter', () => {
  expect(questionFor(metric('x_total', 'count', 'counter'))).toBe('rate(x_total[1m])')
})
