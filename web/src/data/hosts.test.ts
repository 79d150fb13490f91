import { expect, it } from 'vitest'
import { attention, healthOf, hostRows } from './hosts'

const span = { fromMs: 0, stepMs: 60_000, count: 3 }
const vector = (values: Record<string, string>) => ({ resultType: 'vector' as const, result: Object.entries(values).map(([host, value]) => ({ metric: { host }, value: [100, value] as [number, string] })) })

const rows = hostRows(
  { cpu: vector({ calm: '5', hot: '97', full: '20', gone: '1' }), disk: vector({ full: '91', calm: '10' }), seen: vector({ calm: '100', hot: '100', full: '100', gone: '10' }) },
  [{ metric: { host: 'calm' }, values: [[0, '1'], [120, '3']] }],
  span,
)
const of = (host: string) => rows.find((row) => row.host === host) as (typeof rows)[number]

it('joins the columns of a host and leaves missing what is not told', () => {
  expect(of('calm')).toMatchObject({ cpu: 5, disk: 10, seenMs: 100_000 })
  expect(of('calm').memory).toBeNaN()
  expect([...of('calm').trend]).toEqual([1, NaN, 3])
})

it('says what needs attention', () => {
  expect(['calm', 'hot', 'full', 'gone'].map((host) => healthOf(of(host), 110_000))).toEqual(['ok', 'critical', 'warning', 'silent'])
})

it('never calls a host well whose alert nobody deals with', () => {
  const alert = (worst: 'critical' | 'warning' | 'info') => ({ count: 1, worst, summaries: [] })
  expect((['critical', 'warning', 'info'] as const).map((worst) => healthOf(of('calm'), 110_000, alert(worst)))).toEqual(['critical', 'warning', 'ok'])
  expect(healthOf(of('hot'), 110_000, alert('warning'))).toBe('critical')
  expect(attention(of('calm'), 110_000, alert('critical'))).toBeLessThan(attention(of('hot'), 110_000))
})

it('puts the silent first, then the worst', () => {
  expect([...rows].sort((a, b) => attention(a, 110_000) - attention(b, 110_000)).map((row) => row.host)).toEqual(['gone', 'hot', 'full', 'calm'])
})
