import type { Attention } from './alerts'
import type { Matrix, Result } from './prometheus'
import { toNumber } from './prometheus'

/** One host, as far as its headline metrics tell of it. Missing is NaN. */
export interface HostRow {
  host: string
  cpu: number
  memory: number
  /** The fullest drive. */
  disk: number
  load: number
  /** Bytes per second over all adapters. */
  network: number
  uptimeSeconds: number
  processes: number
  /** Time of its newest value, in milliseconds. */
  seenMs: number
  trend: Float64Array
}

/** What is asked for each column, of all hosts at once. */
export const HOST_QUERIES = {
  // One busy second is no reason to worry.
  cpu: 'max by (host) (avg_over_time(cpu_usage[2m]))',
  memory: 'max by (host) (memory_percent)',
  disk: 'max by (host) (disk_percent)',
  load: 'max by (host) (system_load1)',
  network: 'max by (host) (network_bytes_total{adapter=""})',
  uptimeSeconds: 'max by (host) (system_uptime_seconds)',
  processes: 'max by (host) (process_count)',
  // A host that went silent some hours ago is still listed, and says so.
  seen: 'max by (host) (timestamp(cpu_usage) or max_over_time(timestamp(cpu_usage)[6h:1m]))',
} as const

export const TREND_QUERY = 'max by (host) (cpu_usage)'

export type HostColumn = keyof typeof HOST_QUERIES

export function hostRows(answers: Partial<Record<HostColumn, Result>>, trends: readonly Matrix[], span: { fromMs: number; stepMs: number; count: number }): HostRow[] {
  const rows = new Map<string, HostRow>()
  const of = (host: string): HostRow => {
    let row = rows.get(host)
    if (row === undefined) {
      const missing = Number.NaN
      row = { host, cpu: missing, memory: missing, disk: missing, load: missing, network: missing, uptimeSeconds: missing, processes: missing, seenMs: 0, trend: new Float64Array(span.count).fill(missing) }
      rows.set(host, row)
    }
    return row
  }
  for (const [column, answer] of Object.entries(answers) as [HostColumn, Result][]) {
    if (answer.resultType !== 'vector') continue
    for (const { metric, value } of answer.result) {
      const row = of(metric.host ?? '')
      if (column === 'seen') row.seenMs = toNumber(value[1]) * 1000
      else row[column] = toNumber(value[1])
    }
  }
  for (const { metric, values } of trends) {
    const { trend } = of(metric.host ?? '')
    for (const [seconds, value] of values) {
      const at = Math.round((seconds * 1000 - span.fromMs) / span.stepMs)
      if (at >= 0 && at < span.count) trend[at] = toNumber(value)
    }
  }
  return [...rows.values()]
}

export type Health = 'silent' | 'critical' | 'warning' | 'ok'

const SILENT_MS = 60_000
/** Warning and critical, in percent, for what has a sensible limit. */
const LIMITS = { cpu: [80, 95], memory: [85, 95], disk: [90, 98] } satisfies Record<string, [number, number]>

/** Which columns are past which limit. */
export function pastLimits(row: HostRow): { column: keyof typeof LIMITS; level: 'critical' | 'warning' }[] {
  const columns = Object.entries(LIMITS) as [keyof typeof LIMITS, [number, number]][]
  return columns.flatMap(([column, [warning, critical]]) => (row[column] >= critical ? { column, level: 'critical' as const } : row[column] >= warning ? { column, level: 'warning' as const } : []))
}

export function healthOf(row: HostRow, nowMs: number, alerts?: Attention): Health {
  if (nowMs - row.seenMs > SILENT_MS) return 'silent'
  const levels = [alerts?.worst, ...pastLimits(row).map(({ level }) => level)]
  return levels.includes('critical') ? 'critical' : levels.includes('warning') ? 'warning' : 'ok'
}

/** Which of what has a limit is nearest to it, or furthest past it. */
export function worstOf(row: HostRow): keyof typeof LIMITS | null {
  const columns = (Object.keys(LIMITS) as (keyof typeof LIMITS)[]).filter((column) => !Number.isNaN(row[column]))
  const past = (column: keyof typeof LIMITS) => row[column] - LIMITS[column][0]
  return columns.sort((a, b) => past(b) - past(a))[0] ?? null
}

const RANKS: Record<Health, number> = { silent: 0, critical: 1, warning: 2, ok: 3 }

/** What needs attention comes first; among equals, the one with most alerts, then the busiest. */
export function attention(row: HostRow, nowMs: number, alerts?: Attention): number {
  const busiest = Math.max(row.cpu || 0, row.memory || 0, row.disk || 0)
  return RANKS[healthOf(row, nowMs, alerts)] * 1_000_000 - Math.min(alerts?.count ?? 0, 900) * 1000 - busiest
}
