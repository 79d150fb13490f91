import { holdShortRuns, rhythm, type Reduce } from '../data/buffer'
import { labelKey, type Channel, type ChannelSeries } from '../data/channel'
import type { HostInfo } from '../data/protocol'
import type { Column, Frame } from './spec'

export interface Grid {
  /** Start of the first bucket, a multiple of the step. */
  firstMs: number
  stepMs: number
  count: number
}

/** The buckets that cover a stretch of time. */
export function gridFor(fromMs: number, toMs: number, stepMs: number): Grid {
  const first = Math.floor(fromMs / stepMs)
  return { firstMs: first * stepMs, stepMs, count: Math.max(0, Math.floor(toMs / stepMs) - first + 1) }
}

/** Under which name a chart asks for one instance of one of its queries. */
export const pickedName = (query: string, instance: string): string => `${query}\u0000${instance}`

/** Reads a chart's channels onto one grid. */
export class ChannelFrame implements Frame {
  readonly count: number
  readonly stepMs: number
  readonly aggregated: boolean
  readonly partial: boolean
  readonly #read = new Map<string, Column[]>()

  constructor(
    readonly channels: ReadonlyMap<string, Channel>,
    readonly grid: Grid,
    readonly intervalMs: number,
    readonly reduce: Reduce,
    readonly host: HostInfo | null,
    readonly nowMs: number,
    readonly kept: Map<string, string[]>,
    readonly picked: readonly string[] = [],
  ) {
    this.partial = [...channels.values()].some(({ of }) => of !== null)
    this.count = grid.count
    this.stepMs = grid.stepMs
    this.aggregated = grid.stepMs > intervalMs
  }

  read(name: string, reduce: Reduce = this.reduce): Column[] {
    const key = `${reduce} ${name}`
    let columns = this.#read.get(key)
    if (columns === undefined) this.#read.set(key, (columns = this.#columns(name, reduce)))
    return columns
  }

  #columns(name: string, reduce: Reduce): Column[] {
    const { firstMs, stepMs, count } = this.grid
    return this.#series(name).map(({ labels, buffer }) => {
      const values = new Float64Array(count + 1)
      for (let i = 0; i < count; i++) values[i] = buffer.at(firstMs + i * stepMs, reduce)
      values[count] = Number.NaN
      if (count > 0) holdShortRuns(values, rhythm(values, !this.aggregated))
      values[count] = buffer.current(this.nowMs)
      return { labels, values }
    })
  }

  /** Those of a query and of the instances that were asked for, each once. */
  #series(name: string): ChannelSeries[] {
    const all = this.channels.get(name)?.series ?? []
    if (this.picked.length === 0) return all
    const found = new Map(all.map((each) => [labelKey(each.labels), each]))
    for (const value of this.picked) {
      for (const each of this.channels.get(pickedName(name, value))?.series ?? []) {
        const key = labelKey(each.labels)
        if (!found.has(key)) found.set(key, each)
      }
    }
    return [...found.values()]
  }

  keep(name: string, choose: () => string[]): string[] {
    const before = this.kept.get(name)
    if (before !== undefined && this.count === 0) return before
    const chosen = choose()
    this.kept.set(name, chosen)
    return chosen
  }
}
