import { en } from '../en'
import type { Reduce } from '../data/buffer'
import type { HostInfo, Labels, Query } from '../data/protocol'
import type { Unit } from '../lib/format'

export type ColorName = 's1' | 's2' | 's3' | 's4' | 's5' | 's6' | 's7' | 's8' | 'neutral' | 'faint' | 'plain'

export interface Column {
  labels: Labels
  /** One value per bucket of the frame, and the newest raw value as the last. NaN is missing. */
  values: Float64Array
}

export interface Line extends Column {
  key: string
  label: string
  color: ColorName
  /** Drawn over a stack instead of as a part of it. */
  aside?: boolean
  /** Belongs to the stretch that is compared with. */
  before?: boolean
}

/** The data of one chart, on one common grid. */
export interface Frame {
  /** Buckets on the grid; 0 when only the newest values are wanted. */
  count: number
  stepMs: number
  /** More than one sample falls into a bucket. */
  aggregated: boolean
  host: HostInfo | null
  /** There are more instances than were read. */
  partial: boolean
  /** Instances that somebody asked for. */
  picked: readonly string[]
  read(name: string, reduce?: Reduce): Column[]
  /** Chooses, and from then on keeps, the instances that are drawn one by one. */
  keep(name: string, choose: () => string[]): string[]
}

export interface ChartSpec {
  id: string
  title: string
  unit: Unit
  kind: 'lines' | 'stack' | 'heat'
  /** What one bucket of many samples shows. */
  reduce: Reduce
  /** How the header says it, when `reduce` is not all. */
  aggregation?: (step: string) => string
  queries: Record<string, Query>
  /** The chart is drawn when the host has any of these metrics. */
  needs: readonly string[]
  /** The sentence that stands in its place otherwise; empty where nobody misses it. */
  absent: string
  /** Where the scale ends, for values that have a maximum. */
  top?: (host: HostInfo | null) => number | null
  /** The metric whose rules have their limits drawn, and what the chart shows of a limit. */
  limited?: { metric: string; at: (value: number, host: HostInfo | null) => number | null }
  /** The label that tells instances apart, where there may be many. */
  instance?: string
  /** The one line of which is drawn what is usual, and what the chart shows of it. */
  usual?: { query: Query; label: string; at?: (value: number, host: HostInfo | null) => number | null }
  /** Second part of the header: what the chart covers. */
  scope?: (host: HostInfo | null) => string
  /** The number at the right of the header. */
  total?: (frame: Frame) => { values: Float64Array; of?: string } | null
  lines(frame: Frame): Line[]
}

const SERIES_COLORS: readonly ColorName[] = ['s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8']
export const OTHER = '\u0000other'
const byNumber = new Intl.Collator('en', { numeric: true })

export function single(columns: readonly Column[]): Column | undefined {
  return columns.find((column) => Object.keys(column.labels).length === 0) ?? columns[0]
}

export function line(column: Column | undefined, key: string, label: string, color: ColorName): Line[] {
  return column === undefined ? [] : [{ ...column, key, label, color }]
}

export function map(column: Column, change: (value: number) => number): Column {
  return { labels: column.labels, values: column.values.map(change) }
}

export function combine(a: Column | undefined, b: Column | undefined, join: (a: number, b: number) => number): Column | undefined {
  if (a === undefined || b === undefined) return undefined
  return { labels: a.labels, values: a.values.map((value, i) => join(value, b.values[i] as number)) }
}

/** Adds or takes the maximum of several columns; a bucket is missing only where all are. */
export function join(columns: readonly Column[], how: 'sum' | 'max'): Column | undefined {
  const [first, ...rest] = columns
  if (first === undefined) return undefined
  const values = Float64Array.from(first.values)
  for (const column of rest) {
    for (let i = 0; i < values.length; i++) {
      const [a, b] = [values[i] as number, column.values[i] as number]
      values[i] = Number.isNaN(a) ? b : Number.isNaN(b) ? a : how === 'sum' ? a + b : Math.max(a, b)
    }
  }
  return { labels: {}, values }
}

/**
 * One line per instance (disk, adapter). Of more than eight, the seven with the highest mean are drawn and the rest is
 * joined: a sum where instances add up, the highest where they do not. What somebody asked for is always among the seven.
 */
export function perInstance(frame: Frame, name: string, columns: readonly Column[], label: string, rest: { how: 'sum' | 'max'; label: string }): Line[] {
  const sorted = [...columns].sort((a, b) => byNumber.compare(a.labels[label] ?? '', b.labels[label] ?? ''))
  if (sorted.length <= SERIES_COLORS.length) {
    return sorted.map((column, i) => named(column, label, SERIES_COLORS[i] as ColorName))
  }
  const nameOf = (column: Column) => column.labels[label] ?? ''
  const rank = (column: Column) => (frame.picked.includes(nameOf(column)) ? Infinity : mean(column))
  const kept = frame.keep(name, () => [...sorted].sort((a, b) => rank(b) - rank(a) || 0).slice(0, 7).map(nameOf))
  const shown = sorted.filter((column) => kept.includes(nameOf(column)))
  const lines = shown.map((column, i) => named(column, label, SERIES_COLORS[i] as ColorName))
  const rows = sorted.filter((column) => !shown.includes(column))
  return [...lines, ...line(join(rows, rest.how), OTHER, frame.partial ? en.charts.next[rest.how](rows.length) : rest.label, 'neutral')]
}

function named(column: Column, label: string, color: ColorName): Line {
  const name = column.labels[label] ?? en.charts.together
  return { ...column, key: name, label: name, color }
}

function mean(column: Column): number {
  let [sum, count] = [0, 0]
  for (const value of column.values) {
    if (Number.isNaN(value)) continue
    sum += value
    count += 1
  }
  return count === 0 ? -1 : sum / count
}
