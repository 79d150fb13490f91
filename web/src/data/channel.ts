import { SeriesBuffer } from './buffer'
import type { HistorySeries, Labels, Query } from './protocol'

/** Which stretch of time a channel keeps: a live one moves on with the clock. */
export interface Span {
  fromMs: number
  /** `null` while it is live. */
  toMs: number | null
  stepMs: number
  /** How many buckets are kept. */
  capacity: number
}

export interface ChannelSeries {
  labels: Labels
  buffer: SeriesBuffer
}

export type ChannelState = { name: 'loading' } | { name: 'ready' } | { name: 'failed'; message: string }

/** The series that answer one query over one stretch of time, filled by a history and kept up by ticks. */
export class Channel {
  state: ChannelState = { name: 'loading' }
  /** In the order in which they appeared; one that vanishes stays until the channel is loaded anew. */
  readonly series: ChannelSeries[] = []
  /** The subscription that feeds it now, if any. */
  id: string | null = null
  /** Time of the newest sample folded in, in milliseconds. */
  newestMs = 0
  /** A history is on its way. */
  pending = true
  /** There are more series than the server tells one by one: the highest are shown, or all as one. */
  many = false
  /** How many series there are, where only the highest are shown. */
  of: number | null = null
  #order: ChannelSeries[] = []
  #replace = true
  #asked: Span

  constructor(
    readonly query: Query,
    span: Span,
    readonly intervalMs: number,
  ) {
    this.#asked = span
  }

  /**
   * What to ask the server for. A channel that already holds this stretch asks only for what it misses, from the bucket of
   * its newest sample on.
   */
  ask(span: Span): { fromMs: number; toMs: number | null; stepMs: number } {
    const same = span.stepMs === this.#asked.stepMs && span.toMs === null && this.#asked.toMs === null && span.capacity <= this.#asked.capacity
    // Which ones are the highest is asked of the whole range.
    this.#replace = this.many || !(same && this.state.name === 'ready' && this.newestMs >= span.fromMs && this.#asked.fromMs <= span.fromMs)
    if (this.#replace) {
      this.#asked = span
      if (this.state.name === 'failed') this.state = { name: 'loading' }
    }
    this.pending = true
    const fromMs = this.#replace ? span.fromMs : this.newestMs
    return { fromMs: Math.floor(fromMs / span.stepMs) * span.stepMs, toMs: span.toMs, stepMs: span.stepMs }
  }

  history(fromMs: number, stepMs: number, series: readonly HistorySeries[], of: number | null = null): void {
    this.of = of
    if (this.#replace) {
      this.series.length = 0
      this.newestMs = 0
    }
    this.#replace = false
    this.#order = series.map((each) => this.#find(each.labels, stepMs))
    const first = Math.floor(fromMs / stepMs)
    series.forEach((each, index) => {
      const buffer = this.#order[index]?.buffer
      if (buffer === undefined) return
      buffer.load(first, each.avg, each.max)
      this.newestMs = Math.max(this.newestMs, buffer.newestMs)
    })
    this.state = { name: 'ready' }
    this.pending = false
  }

  appeared(index: number, labels: Labels): void {
    this.#order[index] = this.#find(labels, this.#asked.stepMs)
  }

  tick(timeMs: number, values: readonly (number | null)[]): void {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value !== 'number' || !Number.isFinite(value)) continue
      this.#order[i]?.buffer.fold(timeMs, value)
      this.newestMs = Math.max(this.newestMs, timeMs)
    }
  }

  fail(message: string): void {
    this.state = { name: 'failed', message }
    this.pending = false
  }

  #find(labels: Labels, stepMs: number): ChannelSeries {
    const key = labelKey(labels)
    const found = this.series.find((each) => labelKey(each.labels) === key)
    if (found !== undefined && found.buffer.stepMs === stepMs) return found
    const added = { labels, buffer: new SeriesBuffer(this.#asked.capacity, stepMs, this.intervalMs) }
    if (found === undefined) this.series.push(added)
    else this.series[this.series.indexOf(found)] = added
    return added
  }
}

export function labelKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}
