import { stepFor } from '../lib/steps'
import type { TimeRange } from '../lib/timerange'
import { Channel, type Span } from './channel'
import { Link, type LinkState } from './link'
import { getJson, type HostInfo, type MetricInfo, type Query, type ServerMessage } from './protocol'

/** What is looked at, the last ten minutes, and the same stretch some time before. */
export type SpanName = 'view' | 'recent' | 'compare'

/** The cards always show the last ten minutes, whatever the charts look at. */
const RECENT_MS = 600_000
const RECENT_STEP_MS = 5000
const DEFAULT_SPAN_MS = 900_000
const LEAST_CAPACITY = 600
const HEARTBEAT: Query = { metric: 'cpu_usage' }
const SUSPEND_AFTER_MS = 60_000
const RELEASE_AFTER_MS = 10_000
const STALE_INTERVALS = 5
const SKIPPED_INTERVALS = 2.5
const FILL_EVERY_MS = 10_000
/** A tick may be this late before it is the clock that is wrong. */
const CLOCK_TOLERANCE_MS = 30_000
/** Of more series than the server tells one by one, so many are asked for. */
const MOST_TOLD = 100
/** Others may be the highest by then. */
const RANK_EVERY_MS = 60_000
/** Close to what the server allows for one connection. */
const MOST_SUBSCRIPTIONS = 240
/** A comparison that moves along is asked for a little further than it is shown. */
const COMPARE_AHEAD = 0.2
const COMPARE_LEAST_AHEAD_MS = 30_000
const CATALOGUE_RETRY_MS = 2000
const CATALOGUE_REFRESH_MS = 60_000

interface Entry {
  channel: Channel
  span: SpanName
  users: number
  release: ReturnType<typeof setTimeout> | undefined
  askedMs: number
}

/**
 * Follows those of the queries whose metrics the host has, under their names; the answer gives them back. A chart draws what
 * there is: no system has every metric.
 */
export function attach(monitor: Monitor, span: SpanName, queries: Record<string, Query>, channels: Map<string, Channel>): () => void {
  const followed = Object.entries(queries).filter(([, query]) => monitor.has(query.metric))
  channels.clear()
  for (const [name, query] of followed) channels.set(name, monitor.acquire(span, query))
  return () => followed.forEach(([, query]) => monitor.release(span, query))
}

/**
 * Everything that the page knows about the host: the one connection, its subscriptions, and the data behind the charts.
 * Samples are kept outside of reactive state; `pulse` says once per tick that there is something new.
 */
export class Monitor {
  link = $state.raw<LinkState>({ name: 'connecting', attempt: 0 })
  host = $state.raw<HostInfo | null>(null)
  /** `null` until the server has told which metrics it has. */
  metrics = $state.raw<ReadonlyMap<string, MetricInfo> | null>(null)
  problem = $state.raw<string | null>(null)
  paused = $state(false)
  pulse = $state(0)
  /** Grows when a history arrives or the view changes: charts draw at once then. */
  loads = $state(0)
  /** Clock of the server when the page last drew, in milliseconds. */
  nowMs = $state(Date.now())
  /** Time of the newest sample that arrived, 0 before the first. */
  newestMs = $state(0)
  range = $state.raw<TimeRange>({ kind: 'relative', spanMs: DEFAULT_SPAN_MS })
  stepMs = $state(1000)
  /** How far back the stretch lies that is compared with, in milliseconds. */
  compareMs = $state<number | null>(null)

  #wanted: TimeRange | null = null
  /** Buckets that the channels of the view hold. */
  #capacity = LEAST_CAPACITY
  #pixels = 500
  #frozenMs = 0
  /** Up to when the comparison was asked for. */
  #comparedToMs = 0
  /** What the server's clock shows when the page's own, which nobody can set, stands at zero. */
  #zeroMs = Date.now() - performance.now()
  /** The host that the server runs on. Others send samples of the same names: charts show this one's only. */
  #ownHost = ''
  #oldestMs: number | null = null
  #intervalMs = 1000
  #entries = new Map<string, Entry>()
  #byId = new Map<string, Entry>()
  #nextId = 1
  #flushing = false
  #flushedAt = 0
  #tickMs = 0
  #filledMs = 0
  /** Since when the server has been reached without a break; NaN while it is not. */
  #reachedMs = Number.NaN
  /** The server has said hello on this connection: subscriptions may be sent. */
  #greeted = false
  #hidden: ReturnType<typeof setTimeout> | undefined
  #catalogue: ReturnType<typeof setTimeout> | undefined
  readonly #link: Link

  constructor(url: string) {
    this.#link = new Link(url, { state: (state) => this.#linked(state), message: (message) => this.#receive(message) })
  }

  start(): void {
    document.addEventListener('visibilitychange', () => this.#visibility())
    setInterval(() => {
      if (performance.now() - this.#flushedAt > 900) this.#flush()
    }, 500)
    // One metric is always followed: every page says how fresh the data is.
    this.acquire('recent', HEARTBEAT)
    this.#link.open()
  }

  /** Whether the host has this metric. */
  has(metric: string): boolean {
    return this.metrics?.has(metric) === true
  }

  get intervalMs(): number {
    return this.#intervalMs
  }

  /** The oldest sample that the server has, `null` when it has none. */
  get oldestMs(): number | null {
    return this.#oldestMs
  }

  get live(): boolean {
    return this.range.kind !== 'absolute'
  }

  /** The server cannot be reached. */
  get lost(): boolean {
    return this.link.name === 'waiting' || (this.link.name === 'connecting' && this.link.attempt > 0)
  }

  /** No sample for several intervals although the server could be reached all that time. */
  get stale(): boolean {
    const limit = STALE_INTERVALS * this.#intervalMs
    return !this.paused && !this.lost && this.newestMs > 0 && this.ageMs > limit && this.nowMs - this.#reachedMs > limit
  }

  get ageMs(): number {
    return Math.max(0, this.nowMs - this.newestMs)
  }

  /** The right end of what is shown, in milliseconds. */
  get toMs(): number {
    if (this.range.kind === 'absolute') return this.range.toMs
    return this.paused ? this.#frozenMs : this.nowMs
  }

  get fromMs(): number {
    if (this.range.kind === 'absolute') return this.range.fromMs
    if (this.range.kind === 'relative') return this.toMs - this.range.spanMs
    return Math.min(this.#oldestMs ?? this.toMs, this.toMs - 60_000)
  }

  /** `null` takes the default: the last quarter of an hour, or everything as long as that is less. */
  setRange(wanted: TimeRange | null): void {
    this.#wanted = wanted
    const range = wanted ?? this.#defaultRange()
    if (JSON.stringify(range) === JSON.stringify(this.range)) return
    this.range = range
    if (range.kind === 'absolute') this.setPaused(false)
    this.#restep()
    this.#resubscribe('view')
  }

  setCompare(ms: number | null): void {
    if (ms === this.compareMs) return
    this.compareMs = ms
    this.#resubscribe('compare')
  }

  /** Width of one chart's plot: decides how many points are asked for. */
  setPixels(pixels: number): void {
    this.#pixels = pixels
    const before = this.stepMs
    this.#restep()
    if (this.stepMs !== before) this.#resubscribe('view')
  }

  setPaused(paused: boolean): void {
    if (paused === this.paused) return
    this.#frozenMs = this.nowMs
    this.paused = paused
    // What went by during the pause is asked for again: nothing is missing afterwards.
    if (!paused) this.#resubscribeAll()
  }

  reconnect(): void {
    this.#link.open()
  }

  /** Asks again for one query that was refused. */
  retry(channel: Channel): void {
    for (const entry of this.#entries.values()) if (entry.channel === channel) this.#subscribe(entry)
  }

  /** A metric that was unknown a moment ago may exist now. */
  #retryRefused(): void {
    for (const entry of this.#entries.values()) if (entry.channel.state.name === 'failed') this.#subscribe(entry)
  }

  /** Takes part in one query's data; must be given back with `release`. */
  acquire(span: SpanName, query: Query): Channel {
    const key = `${span} ${JSON.stringify(query)}`
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      entry = { channel: new Channel(query, this.#span(span), this.#intervalMs), span, users: 0, release: undefined, askedMs: 0 }
      this.#entries.set(key, entry)
      this.#subscribe(entry)
    }
    clearTimeout(entry.release)
    entry.users += 1
    return entry.channel
  }

  /** A query that nobody has shown for a while is no longer asked. */
  release(span: SpanName, query: Query): void {
    const key = `${span} ${JSON.stringify(query)}`
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.users -= 1
    if (entry.users > 0) return
    entry.release = setTimeout(() => {
      this.#unsubscribe(entry)
      this.#entries.delete(key)
    }, RELEASE_AFTER_MS)
  }

  #defaultRange(): TimeRange {
    const young = this.#oldestMs === null || this.nowMs - this.#oldestMs < DEFAULT_SPAN_MS
    return young ? { kind: 'all' } : { kind: 'relative', spanMs: DEFAULT_SPAN_MS }
  }

  /** "Everything" grows while it is looked at: the step grows with it, and a young default becomes the usual one. */
  #grow(): void {
    if (this.compareMs !== null && this.#greeted && !this.paused && this.toMs - this.compareMs > this.#comparedToMs) this.#resubscribe('compare')
    if (this.live && this.#greeted && !this.paused) this.#rankAgain()
    if (this.range.kind !== 'all' || this.paused || !this.#greeted) return
    if (this.#wanted === null) this.setRange(null)
    const stepMs = this.stepMs
    this.#restep()
    if (this.stepMs !== stepMs || (this.toMs - this.fromMs) / stepMs > this.#capacity) this.#resubscribe('view')
  }

  #rankAgain(): void {
    for (const entry of this.#byId.values()) if (entry.channel.many && this.nowMs - entry.askedMs > RANK_EVERY_MS) this.#subscribe(entry)
  }

  #restep(): void {
    this.stepMs = stepFor(this.toMs - this.fromMs, this.#pixels, this.#intervalMs)
  }

  #span(name: SpanName): Span {
    if (name === 'compare') return this.#compareSpan()
    const [stepMs, spanMs] = name === 'recent' ? [RECENT_STEP_MS, RECENT_MS] : [this.stepMs, this.toMs - this.fromMs]
    const toMs = name === 'view' && this.range.kind === 'absolute' ? this.range.toMs : null
    const fromMs = Math.max(0, (toMs ?? this.nowMs) - spanMs)
    const capacity = Math.max(LEAST_CAPACITY, Math.ceil((spanMs / stepMs) * 1.1) + 10)
    if (name === 'view') this.#capacity = capacity
    return { fromMs, toMs, stepMs, capacity }
  }

  #compareSpan(): Span {
    const [back, spanMs] = [this.compareMs ?? 0, this.toMs - this.fromMs]
    const ahead = this.range.kind === 'absolute' ? 0 : Math.max(COMPARE_LEAST_AHEAD_MS, spanMs * COMPARE_AHEAD)
    const toMs = Math.max(1, this.toMs - back + ahead)
    this.#comparedToMs = toMs
    return { fromMs: Math.max(0, this.fromMs - back), toMs, stepMs: this.stepMs, capacity: Math.ceil((spanMs + ahead) / this.stepMs) + 10 }
  }

  /** A page that is scrolled through quickly leaves questions behind that nobody looks at. */
  #makeRoom(): void {
    if (this.#byId.size < MOST_SUBSCRIPTIONS) return
    for (const [key, entry] of this.#entries) {
      if (entry.users > 0) continue
      clearTimeout(entry.release)
      this.#unsubscribe(entry)
      this.#entries.delete(key)
    }
  }

  #subscribe(entry: Entry): void {
    this.#unsubscribe(entry)
    if (!this.#greeted) return
    this.#makeRoom()
    const id = String(this.#nextId++)
    const { fromMs, toMs, stepMs } = entry.channel.ask(this.#span(entry.span))
    entry.channel.id = id
    this.#byId.set(id, entry)
    const { many, query: { together, ...query } } = entry.channel
    const asked = { ...query, match: { host: this.#ownHost, ...query.match }, ...(!many ? {} : together === true ? { by: [] } : { top: MOST_TOLD }) }
    entry.askedMs = this.nowMs
    this.#link.send({ type: 'subscribe', id, query: asked, from_ms: fromMs, to_ms: toMs, step_ms: stepMs })
  }

  #unsubscribe(entry: Entry): void {
    const { id } = entry.channel
    if (id === null) return
    this.#link.send({ type: 'unsubscribe', id })
    this.#byId.delete(id)
    entry.channel.id = null
  }

  #resubscribe(span: SpanName): void {
    for (const entry of this.#entries.values()) if (entry.span === span || (span === 'view' && entry.span === 'compare')) this.#subscribe(entry)
    this.loads += 1
  }

  #resubscribeAll(): void {
    this.#resubscribe('recent')
    this.#resubscribe('view')
  }

  #linked(state: LinkState): void {
    this.link = state
    this.#greeted = false
    if (state.name === 'waiting' || state.name === 'suspended') this.#reachedMs = Number.NaN
    if (state.name === 'open') return
    for (const entry of this.#entries.values()) entry.channel.id = null
    this.#byId.clear()
  }

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case 'hello':
        this.#zeroMs = message.server_time_ms - performance.now()
        this.#ownHost = message.host
        this.#intervalMs = Math.max(1, message.interval_ms)
        this.#oldestMs = message.oldest_ms
        this.nowMs = message.server_time_ms
        this.#tickMs = 0
        if (Number.isNaN(this.#reachedMs)) this.#reachedMs = this.nowMs
        this.setRange(this.#wanted)
        this.#greeted = true
        this.#restep()
        void this.#loadCatalogue()
        this.#resubscribeAll()
        return
      case 'tick':
        this.#tick(message.time_ms, message.values)
        return
      case 'error':
        if (message.id === undefined || !this.#byId.has(message.id)) this.problem = message.message
        break
      default:
        break
    }
    const entry = this.#byId.get(message.id ?? '')
    if (entry === undefined) return
    if (message.type === 'history') {
      entry.channel.history(message.from_ms, message.step_ms, message.series, message.of ?? null)
      this.newestMs = Math.max(this.newestMs, Math.min(entry.channel.newestMs, this.nowMs))
    } else if (message.type === 'series') entry.channel.appeared(message.index, message.labels)
    else if (message.code === 'over_limit' && !entry.channel.many && entry.channel.query.by?.length !== 0) {
      entry.channel.many = true
      this.#subscribe(entry)
      return
    } else entry.channel.fail(message.message)
    this.loads += 1
    this.#scheduleFlush()
  }

  #tick(timeMs: number, values: Record<string, (number | null)[]>): void {
    const skipped = this.#tickMs > 0 && timeMs - this.#tickMs > SKIPPED_INTERVALS * this.#intervalMs
    this.#tickMs = timeMs
    // The server's clock was set, or this computer slept without noticing.
    if (Math.abs(performance.now() + this.#zeroMs - timeMs) > CLOCK_TOLERANCE_MS) this.#zeroMs = timeMs - performance.now()
    if (this.paused) return
    if (skipped && timeMs - this.#filledMs > FILL_EVERY_MS) {
      // The server leaves ticks out for a reader that is too slow. What was left out is asked for, this one included.
      this.#filledMs = timeMs
      this.#resubscribeAll()
      return
    }
    let any = false
    for (const [id, row] of Object.entries(values)) {
      if (!Array.isArray(row)) continue
      this.#byId.get(id)?.channel.tick(timeMs, row)
      any ||= row.some((value) => value !== null)
    }
    if (any) {
      this.newestMs = Math.max(this.newestMs, timeMs)
      this.#oldestMs ??= timeMs
    }
    this.#scheduleFlush()
  }

  /** One redraw per frame, however many messages came. */
  #scheduleFlush(): void {
    if (this.#flushing) return
    this.#flushing = true
    requestAnimationFrame(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  #flush(): void {
    this.#flushedAt = performance.now()
    this.nowMs = performance.now() + this.#zeroMs
    this.pulse += 1
    this.#grow()
  }

  #visibility(): void {
    clearTimeout(this.#hidden)
    if (document.hidden) {
      this.#hidden = setTimeout(() => this.#link.suspend(), SUSPEND_AFTER_MS)
    } else if (this.link.name === 'suspended') {
      this.#link.open()
    }
  }

  async #loadCatalogue(): Promise<void> {
    clearTimeout(this.#catalogue)
    let again = CATALOGUE_REFRESH_MS
    try {
      const [host, metrics] = await Promise.all([getJson<HostInfo>('/api/host'), getJson<MetricInfo[]>('/api/metrics')])
      this.host = host
      this.#oldestMs = host.oldest_ms ?? this.#oldestMs
      if (metrics.length === 0) again = CATALOGUE_RETRY_MS
      if (metrics.length !== this.metrics?.size) {
        this.metrics = new Map(metrics.map((metric) => [metric.name, metric]))
        this.#retryRefused()
      }
      this.problem = null
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error)
      again = CATALOGUE_RETRY_MS
    }
    this.#catalogue = setTimeout(() => {
      if (this.link.name === 'open') void this.#loadCatalogue()
    }, again)
  }
}
