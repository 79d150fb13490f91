import { Ring } from './ring'

export type Reduce = 'avg' | 'max'

/** The values of one series in buckets of one step: mean and peak, and the newest raw value. */
export class SeriesBuffer {
  /** The newest raw value, NaN before there is one. */
  latest = Number.NaN
  /** Its time, in milliseconds; for a value that came with a history, the start of its bucket. */
  newestMs = 0
  /** Time between the two newest values: how often this series is read. */
  #spacingMs: number
  readonly #mean: Ring
  readonly #peak: Ring | null
  #open = -1
  #count = 0

  constructor(
    capacity: number,
    readonly stepMs: number,
    readonly intervalMs: number,
  ) {
    this.#mean = new Ring(capacity)
    this.#peak = stepMs > intervalMs ? new Ring(capacity) : null
    this.#spacingMs = intervalMs
  }

  /** Writes a history. A missing value never erases one that arrived live before. */
  load(firstBucket: number, mean: readonly (number | null)[], peak: readonly (number | null)[] | undefined): void {
    for (let i = 0; i < mean.length; i++) {
      const value = mean[i]
      if (value === null || value === undefined) continue
      const bucket = firstBucket + i
      this.#mean.set(bucket, value)
      this.#peak?.set(bucket, peak?.[i] ?? value)
      if (bucket * this.stepMs > this.newestMs) this.#reach(bucket * this.stepMs, value)
    }
    this.#open = -1
  }

  #reach(timeMs: number, value: number): void {
    if (this.newestMs > 0) this.#spacingMs = timeMs - this.newestMs
    this.newestMs = timeMs
    this.latest = value
  }

  /** The newest value as long as it still speaks for this moment: a series that is no longer read has none. */
  current(nowMs: number): number {
    return nowMs - this.newestMs <= Math.max(5 * this.intervalMs, 3 * this.#spacingMs) + this.stepMs ? this.latest : Number.NaN
  }

  /** Folds one live sample into its bucket. */
  fold(timeMs: number, value: number): void {
    this.#reach(timeMs, value)
    const bucket = Math.floor(timeMs / this.stepMs)
    const mean = this.#mean.get(bucket)
    if (this.#peak === null || Number.isNaN(mean)) {
      this.#mean.set(bucket, value)
      this.#peak?.set(bucket, value)
      this.#open = bucket
      this.#count = 1
      return
    }
    if (bucket !== this.#open) {
      // The bucket came with the history, which does not say how many samples it holds: one per interval so far.
      this.#open = bucket
      this.#count = Math.max(1, Math.floor((timeMs - bucket * this.stepMs) / this.intervalMs))
    }
    this.#count += 1
    this.#mean.set(bucket, mean + (value - mean) / this.#count)
    this.#peak.set(bucket, Math.max(this.#peak.get(bucket), value))
  }

  /** The value of the bucket that covers this time. */
  at(timeMs: number, reduce: Reduce): number {
    const ring = reduce === 'max' && this.#peak !== null ? this.#peak : this.#mean
    return ring.get(Math.floor(timeMs / this.stepMs))
  }
}

export interface Gap {
  /** Index of the first missing value. */
  from: number
  /** Index after the last missing value. */
  to: number
}

/**
 * The longest run of missing buckets that still belongs to a series' own rhythm. A metric that is read every ten seconds
 * leaves nine of ten one-second buckets empty: that is no gap. A run half as long again as its rhythm is one.
 */
export function rhythm(values: Float64Array, singleIsJitter: boolean): number {
  const spacings: number[] = []
  let last = -1
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue
    if (last >= 0) spacings.push(i - last)
    last = i
  }
  if (spacings.length === 0) return 0
  spacings.sort((a, b) => a - b)
  const median = spacings[spacings.length >> 1] as number
  if (median === 1) return singleIsJitter ? 1 : 0
  return Math.ceil(median * 1.5) - 1
}

/** Holds the last value over runs of at most `longest` missing values, and leaves longer ones missing. */
export function holdShortRuns(values: Float64Array, longest: number): void {
  let last = -1
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue
    if (last >= 0 && i - last > 1 && i - last - 1 <= longest) values.fill(values[last] as number, last + 1, i)
    last = i
  }
}

/**
 * The runs between two indexes in which every column is missing. A run at either edge counts only from `edge` values on:
 * there the first or the next sample may simply not have arrived yet.
 */
export function commonGaps(columns: readonly Float64Array[], from: number, to: number, edge: number): Gap[] {
  const gaps: Gap[] = []
  let start = from
  for (let i = from; i <= to; i++) {
    if (i < to && columns.every((column) => Number.isNaN(column[i]))) continue
    const atEdge = start === from || i === to
    if (i - start >= (atEdge ? edge : 1)) gaps.push({ from: start, to: i })
    start = i + 1
  }
  return gaps
}
