import type { Labels, Query } from './protocol'

/** What is usual at the hours of a range, as docs/api/http.md describes it. */
export interface Baseline {
  from_ms: number
  step_ms: number
  series: { labels: Labels; low: (number | null)[]; mid: (number | null)[]; high: (number | null)[]; weeks: number[] }[]
}

const HOUR_MS = 3_600_000
const WEEK_MS = 168 * HOUR_MS
/** The server calls nothing usual that it has seen in fewer weeks. */
const LEAST_WEEKS = 2
const LONGEST_MS = 31 * 24 * HOUR_MS

/** Where to ask what is usual in a range; `null` where nothing can be known of it. */
export function baselineAddress(query: Query, host: string, { fromMs, toMs, oldestMs }: { fromMs: number; toMs: number; oldestMs: number | null }): string | null {
  if (oldestMs === null || toMs - LEAST_WEEKS * WEEK_MS < oldestMs || toMs - fromMs > LONGEST_MS - HOUR_MS) return null
  const params = new URLSearchParams({ metric: query.metric })
  for (const [label, value] of Object.entries({ host, ...query.match })) params.append('match', `${label}=${value}`)
  if (query.rate === true) params.set('rate', 'true')
  if (query.by?.length === 0) params.append('by', '')
  for (const label of query.by ?? []) params.append('by', label)
  if (query.agg !== undefined) params.set('agg', query.agg)
  // The same address for a whole hour: what is asked again in it is already known.
  params.set('from', String(Math.max(0, Math.floor(fromMs / HOUR_MS) * HOUR_MS)))
  params.set('to', String(Math.max(0, Math.floor(toMs / HOUR_MS) * HOUR_MS)))
  return `/api/baseline?${params}`
}

/** A band over time, one entry per hour; NaN where nothing is usual. */
export interface Usual {
  firstMs: number
  stepMs: number
  low: Float64Array
  high: Float64Array
}

/** The band of a chart's one line, in the chart's own unit; `null` where no hour has one. */
export function usualOf(answer: Baseline | null, convert: (value: number) => number | null): Usual | null {
  const found = answer?.series.find(({ labels }) => Object.keys(labels).length === 0) ?? answer?.series[0]
  if (answer === null || found === undefined || found.low.every((value) => value === null)) return null
  const values = (column: readonly (number | null)[]) => Float64Array.from(column, (value) => (value === null ? Number.NaN : (convert(value) ?? Number.NaN)))
  return { firstMs: answer.from_ms, stepMs: answer.step_ms, low: values(found.low), high: values(found.high) }
}

/** The band at a moment, `null` where there is none. */
export function usualAt(usual: Usual | null, ms: number): { low: number; high: number } | null {
  if (usual === null) return null
  const at = Math.floor((ms - usual.firstMs) / usual.stepMs)
  const [low, high] = [usual.low[at], usual.high[at]]
  return low === undefined || high === undefined || Number.isNaN(low) || Number.isNaN(high) ? null : { low, high }
}
