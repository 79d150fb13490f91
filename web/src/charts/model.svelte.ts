import { untrack } from 'svelte'
import { commonGaps, type Gap } from '../data/buffer'
import type { Channel } from '../data/channel'
import { attach, type Monitor } from '../data/monitor.svelte'
import type { Query } from '../data/protocol'
import { en } from '../en'
import { duration, moment, type Zone } from '../lib/format'
import { ChannelFrame, gridFor, pickedName, type Grid } from './frame'
import { BARE, type Picture } from './picture'
import { join, OTHER, type ChartSpec, type Line } from './spec'

export type Beside = Pick<Picture, 'marks' | 'limits' | 'usual' | 'alerts'>
export type ChartState = { name: 'loading' } | { name: 'ready' } | { name: 'failed'; message: string }

const BEFORE = '\u0000before'

const EMPTY: Picture = { ...BARE, fromMs: 0, toMs: 1, grid: { firstMs: 0, stepMs: 1000, count: 0 }, lines: [] }

/** One chart between the monitor's channels and the plot: decides when to draw what, and which values the legend shows. */
export class ChartModel {
  picture = $state.raw<Picture>(EMPTY)
  state = $state.raw<ChartState>({ name: 'loading' })
  /** Another range has been asked for and is not here yet. */
  pending = $state(true)
  /** The newest values, one per line. */
  newest = $state.raw<readonly Line[]>([])
  total = $state.raw<{ values: Float64Array; of?: string } | null>(null)
  newestTotal = $state(Number.NaN)
  hidden = $state.raw<ReadonlySet<string>>(new Set())
  visible = $state(false)
  /** Instances that are shown whatever they do. */
  picked = $state.raw<readonly string[]>([])
  /** What is drawn besides the series. */
  beside: Beside = BARE
  #drawnBeside: Beside = this.beside
  #lines: Line[] = []
  #channels = new Map<string, Channel>()
  /** The same questions about the stretch that is compared with. */
  #before = new Map<string, Channel>()
  #kept = new Map<string, string[]>()
  #drawnLoads = -1
  #drawnFor = ''

  constructor(
    readonly spec: ChartSpec,
    readonly monitor: Monitor,
  ) {}

  /** Every line of the chart, hidden ones included. */
  get lines(): readonly Line[] {
    return this.#lines
  }

  /** Takes part in the chart's queries while it is on the screen; the answer gives them back. */
  attach(): () => void {
    this.#drawnLoads = -1
    const release = attach(this.monitor, 'view', this.#queries(), this.#channels)
    // Squares of one heat map cannot be laid over those of another.
    const compares = this.monitor.compareMs !== null && this.spec.kind !== 'heat'
    const releaseBefore = compares ? attach(this.monitor, 'compare', this.spec.queries, this.#before) : () => undefined
    return () => {
      release()
      releaseBefore()
      this.#channels.clear()
      this.#before.clear()
    }
  }

  #queries(): Record<string, Query> {
    const { queries, instance } = this.spec
    if (instance === undefined) return queries
    const ofOne = ([name, query]: [string, Query]) => this.picked.map((value) => [pickedName(name, value), { ...query, match: { ...query.match, [instance]: value } }])
    return { ...queries, ...Object.fromEntries(Object.entries(queries).flatMap(ofOne)) }
  }

  /** Asks again for what was refused. */
  retry(): void {
    for (const channel of this.#channels.values()) if (channel.state.name === 'failed') this.monitor.retry(channel)
  }

  /** Called for every tick, range, pin or theme: draws only if it would look different. */
  update(pinMs: number | null, zone: Zone, pixels: number): void {
    const { monitor } = this
    const channels = [...this.#channels.values()]
    const failed = channels.map((channel) => channel.state).find((state) => state.name === 'failed')
    this.pending = channels.some((channel) => channel.pending) && failed === undefined
    const ready = channels.every((channel) => channel.state.name === 'ready')
    if (failed?.name === 'failed') this.state = { name: 'failed', message: failed.message }
    else if (ready) this.state = { name: 'ready' }
    else if (this.picture.grid.count === 0) this.state = { name: 'loading' }
    if (channels.length === 0 || (!ready && this.picture.grid.count === 0)) return

    const wanted = `${JSON.stringify(monitor.range)} ${monitor.compareMs} ${pinMs} ${zone} ${pixels} ${[...this.hidden].join()}`
    const moved = monitor.toMs - this.picture.toMs >= (monitor.toMs - monitor.fromMs) / pixels
    if (this.#drawnLoads !== monitor.loads || this.#drawnBeside !== this.beside || this.#drawnFor !== wanted || moved) {
      this.#draw(pinMs, zone)
      this.#drawnLoads = monitor.loads
      this.#drawnFor = wanted
      this.#drawnBeside = this.beside
    }
    if (!monitor.paused) this.#readNewest()
  }

  #frame(count: number): ChannelFrame {
    const { monitor } = this
    const grid = gridFor(monitor.fromMs, monitor.toMs, monitor.stepMs)
    const host = untrack(() => monitor.host)
    return new ChannelFrame(this.#channels, count === 0 ? { ...grid, count: 0 } : grid, monitor.intervalMs, this.spec.reduce, host, monitor.newestMs, this.#kept, this.picked)
  }

  #readNewest(): void {
    const frame = this.#frame(0)
    this.newest = this.spec.lines(frame)
    this.newestTotal = this.spec.total?.(frame)?.values[0] ?? Number.NaN
  }

  #draw(pinMs: number | null, zone: Zone): void {
    const { monitor, spec } = this
    const frame = this.#frame(1)
    const { grid } = frame
    this.#lines = spec.lines(frame)
    this.total = spec.total?.(frame) ?? null
    const start = monitor.oldestMs
    this.picture = {
      fromMs: monitor.fromMs,
      toMs: monitor.toMs,
      grid,
      lines: [...this.#lines, ...this.#linesBefore(grid)].filter((line) => !this.hidden.has(line.key)),
      gaps: this.#gaps(frame),
      top: spec.top?.(monitor.host) ?? null,
      pinMs,
      pinText: pinMs === null ? '' : moment(pinMs, zone, monitor.nowMs),
      ...this.beside,
      startMs: start !== null && start > monitor.fromMs && start < monitor.toMs ? start : null,
      startText: start === null ? '' : en.charts.since(moment(start, zone, monitor.nowMs)),
    }
  }

  /** The same lines some time before, dashed; of a stack its height. */
  #linesBefore(grid: Grid): Line[] {
    const back = this.monitor.compareMs
    if (back === null || this.#before.size === 0) return []
    const { monitor, spec } = this
    const then = gridFor(grid.firstMs - back, grid.firstMs - back + (grid.count - 1) * grid.stepMs, grid.stepMs)
    const frame = new ChannelFrame(this.#before, { ...then, count: grid.count }, monitor.intervalMs, spec.reduce, monitor.host, monitor.newestMs, this.#kept)
    const lines = spec.lines(frame)
    const hidden = (line: Line) => this.hidden.has(line.key)
    const whole = spec.kind === 'stack' ? join(lines.filter((line) => line.aside !== true && line.color !== 'neutral' && line.color !== 'faint' && !hidden(line)), 'sum') : undefined
    if (spec.kind === 'stack') return whole === undefined ? [] : [{ ...whole, key: BEFORE, label: '', color: 'plain', aside: true, before: true }]
    return lines.filter((line) => !hidden(line)).map((line) => ({ ...line, key: `${BEFORE} ${line.key}`, before: true }))
  }

  /** Some of what is shown are several series as one. */
  get joined(): boolean {
    return [...this.#channels.values()].some(({ many, query }) => many && query.together === true)
  }

  /** How many of how many instances have a line of their own, where they are too many. */
  get chosen(): { shown: number; of: number } | null {
    const counts = [...this.#channels.values()].flatMap(({ of }) => of ?? [])
    return counts.length === 0 ? null : { shown: this.#lines.filter(({ key }) => key !== OTHER).length, of: Math.max(...counts) }
  }

  #gaps({ grid, intervalMs }: ChannelFrame): Gap[] {
    const { monitor } = this
    if (this.#lines.length === 0 || grid.count === 0) return []
    const index = (ms: number) => Math.floor((ms - grid.firstMs) / grid.stepMs)
    const from = Math.max(0, index(monitor.oldestMs ?? monitor.toMs))
    const to = Math.min(grid.count, index(Math.min(monitor.toMs, monitor.nowMs)) + 1)
    const edge = Math.ceil(Math.max(2 * grid.stepMs, 5 * intervalMs) / grid.stepMs)
    return commonGaps(this.#lines.map((line) => line.values), from, to, edge)
  }

  /** Shows one series only, or all again. */
  solo(key: string): void {
    const others = this.#lines.map((line) => line.key).filter((each) => each !== key)
    const already = others.every((each) => this.hidden.has(each)) && !this.hidden.has(key)
    this.hidden = new Set(already ? [] : others)
  }

  toggle(key: string): void {
    const next = new Set(this.hidden)
    if (!next.delete(key)) next.add(key)
    this.hidden = next.size === this.#lines.length ? new Set() : next
  }

  /** Value of a line in one bucket of the picture; without an index the newest, or the last one of a past view. */
  valueOf(line: Line, index: number | null): number {
    if (index !== null) return line.values[index] ?? Number.NaN
    if (!this.monitor.live) return last(line.values, this.picture.grid.count)
    return this.newest.find((each) => each.key === line.key)?.values[0] ?? Number.NaN
  }

  totalAt(index: number | null): number {
    if (this.total === null) return Number.NaN
    if (index !== null) return this.total.values[index] ?? Number.NaN
    return this.monitor.live ? this.newestTotal : last(this.total.values, this.picture.grid.count)
  }

  /** The bucket that covers a moment, `null` when it is not in the picture. */
  indexOf(ms: number | null): number | null {
    if (ms === null) return null
    const { firstMs, stepMs, count } = this.picture.grid
    const index = Math.floor((ms - firstMs) / stepMs)
    return index >= 0 && index < count ? index : null
  }

  /** What one point stands for, when it stands for more than one sample. */
  get aggregation(): string {
    const { stepMs } = this.picture.grid
    if (stepMs <= this.monitor.intervalMs) return ''
    return (this.spec.aggregation ?? en.charts.aggregated[this.spec.reduce])(duration(stepMs))
  }
}

function last(values: Float64Array, count: number): number {
  for (let i = count - 1; i >= 0; i--) if (!Number.isNaN(values[i])) return values[i] as number
  return Number.NaN
}
