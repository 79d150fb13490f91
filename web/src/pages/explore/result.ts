import type { Grid } from '../../charts/frame'
import type { ColorName, Line } from '../../charts/spec'
import { hostsDiffer, nameOf, toNumber, type Result } from '../../data/prometheus'
import type { MetricInfo } from '../../data/protocol'
import type { Unit } from '../../lib/format'
import { tokens } from '../../lib/promql/text'

/** Lines that get a colour of their own; others are drawn in grey, and beyond this many not at all. */
const COLOURED = 8
export const MOST_LINES = 200
const COLORS: readonly ColorName[] = ['s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8']

export interface Series extends Line {
  last: number
  low: number
  mean: number
  high: number
  /** Which query it answers. */
  query: number
}

/** The answers of several queries on one grid, the largest first. */
export function seriesOf(results: readonly (Result | null)[], grid: Grid): Series[] {
  const several = results.filter((result) => result !== null).length > 1
  const answers = results.map((result) => (result === null ? [] : rowsOf(result)))
  const withHost = hostsDiffer(answers.flat().flatMap(({ labels }) => (labels.host === undefined ? [] : [labels])))
  const found = answers.flatMap((rows, query) => rows.map((row) => summed(row, { query, several, withHost }, grid)))
  found.sort((a, b) => (Number.isNaN(b.mean) ? -1 : Number.isNaN(a.mean) ? 1 : b.mean - a.mean))
  return found.map((series, i) => ({ ...series, color: i < COLOURED ? (COLORS[i] as ColorName) : 'neutral' }))
}

interface Row {
  /** What it is when it has no labels. */
  name: string | null
  labels: Record<string, string>
  points: readonly [number, string][]
}

function rowsOf(result: Result): Row[] {
  if (result.resultType === 'matrix') return result.result.map(({ metric, values }) => ({ name: null, labels: metric, points: values }))
  if (result.resultType === 'vector') return result.result.map(({ metric, value }) => ({ name: null, labels: metric, points: [value] }))
  return [{ name: result.resultType, labels: {}, points: [result.result] }]
}

function summed({ name: bare, labels, points }: Row, { query, several, withHost }: { query: number; several: boolean; withHost: boolean }, grid: Grid): Series {
  const name = bare ?? nameOf(labels, withHost)
  const values = new Float64Array(grid.count + 1).fill(Number.NaN)
  let [last, low, high, sum, count] = [Number.NaN, Infinity, -Infinity, 0, 0]
  for (const [seconds, text] of points) {
    const value = toNumber(text)
    const at = Math.round((seconds * 1000 - grid.firstMs) / grid.stepMs)
    if (at >= 0 && at < grid.count && Number.isFinite(value)) values[at] = value
    last = value
    if (!Number.isFinite(value)) continue
    low = Math.min(low, value)
    high = Math.max(high, value)
    sum += value
    count += 1
  }
  const missing = count === 0
  return {
    key: `${query}:${bare ?? nameOf(labels, true)}`, label: several ? `${letter(query)} ${name}` : name, labels, values, color: 'neutral', query, last,
    low: missing ? Number.NaN : low, high: missing ? Number.NaN : high, mean: missing ? Number.NaN : sum / count,
  }
}

/** Queries are called A, B, C. */
export function letter(query: number): string {
  return String.fromCharCode(65 + query)
}

const RATES = new Set(['rate', 'irate', 'deriv'])
const NUMBERS = new Set(['count', 'count_values', 'changes', 'resets', 'count_over_time', 'absent', 'quantile', 'stdvar'])
const UNITS: Record<string, { plain: Unit; rate: Unit }> = {
  bytes: { plain: 'bytes', rate: 'byteRate' },
  bytes_per_second: { plain: 'byteRate', rate: 'count' },
  bits_per_second: { plain: 'bitRate', rate: 'count' },
  percent: { plain: 'percent', rate: 'count' },
  seconds: { plain: 'seconds', rate: 'count' },
  hertz: { plain: 'hertz', rate: 'count' },
  celsius: { plain: 'celsius', rate: 'count' },
  revolutions_per_minute: { plain: 'rpm', rate: 'count' },
  watts: { plain: 'watts', rate: 'count' },
  count: { plain: 'count', rate: 'countRate' },
  per_second: { plain: 'countRate', rate: 'count' },
}

/** The unit of an answer, as far as the query shows it; calculations with several metrics have none. */
export function unitOf(query: string, metrics: ReadonlyMap<string, MetricInfo> | null): Unit {
  const found = tokens(query)
  const named = new Set(found.filter((token) => token.kind === 'metric' && metrics?.has(token.text)).map((token) => token.text))
  const [name] = named
  const calculates = found.some((token) => token.kind === 'operator' && '*/%^'.includes(token.text))
  if (named.size !== 1 || calculates || name === undefined || found.some((token) => token.kind === 'function' && NUMBERS.has(token.text))) return 'count'
  const unit = UNITS[metrics?.get(name)?.unit ?? '']
  if (unit === undefined) return 'count'
  return found.some((token) => token.kind === 'function' && RATES.has(token.text)) ? unit.rate : unit.plain
}

/** What is asked for when a metric is chosen: the rate of a counter, a gauge as it is. */
export function questionFor({ name, kind }: MetricInfo): string {
  return kind === 'counter' ? `rate(${name}[1m])` : name
}
