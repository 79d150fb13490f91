import type { Fired, Incident } from '../data/alerts'
import type { HostEvent } from '../data/events'
import type { Monitor } from '../data/monitor.svelte'
import { dragged, panned, shifted, zoomed, type Shown } from './moves'
import { router } from './router.svelte'
import type { TimeRange } from './timerange'

const WEEK_MS = 604_800_000

/** What a person does with time: the moves behind the pointer, the keys and the buttons, in one place. */
export class Pilot {
  /** The moment under the pointer, shared by all charts. */
  hoverMs = $state<number | null>(null)

  /** What happened within the range: marks on all charts. */
  events = $state.raw<readonly HostEvent[]>([])

  /** Alerts that fired within the range: regions on the charts of their metrics. */
  fired = $state.raw<readonly Fired[]>([])

  /** All open incidents. */
  open = $state.raw<readonly Incident[]>([])

  /** Open incidents that nobody deals with. */
  firing = $state.raw({ count: 0, severe: false })

  /** Values of a metric at which a rule fires. */
  limits = $state.raw<readonly { metric: string; value: number; severe: boolean }[]>([])

  constructor(readonly monitor: Monitor) {}

  get pinMs(): number | null {
    return router.route.pinMs
  }

  pin(ms: number): void {
    router.replace({ pinMs: Math.round(ms / 1000) * 1000 })
  }

  unpin(): void {
    if (this.pinMs !== null) router.replace({ pinMs: null })
  }

  pinHere(): void {
    this.pin(this.hoverMs ?? this.monitor.newestMs)
  }

  show(range: TimeRange): void {
    router.push({ range })
  }

  zoomTo(fromMs: number, toMs: number): void {
    router.push({ range: dragged(fromMs, Math.min(toMs, this.monitor.nowMs)) }, true)
  }

  pan(byMs: number): void {
    router.push({ range: panned(this.#shown(), byMs) })
  }

  /** Moves by a share of the width. */
  panBy(share: number): void {
    this.pan((this.monitor.toMs - this.monitor.fromMs) * share)
  }

  /** Lays the same stretch some time before over the charts, or takes it away. */
  compare(ms: number | null): void {
    router.push({ compareMs: ms })
  }

  toggleCompare(): void {
    this.compare(router.route.compareMs === null ? WEEK_MS : null)
  }

  zoomBy(factor: number): void {
    router.push({ range: zoomed(this.#shown(), factor, this.hoverMs ?? this.pinMs) }, true)
  }

  zoomBack(): void {
    router.zoomBack()
  }

  shift(direction: -1 | 1): void {
    router.push({ range: shifted(this.#shown(), direction) })
  }

  goLive(): void {
    this.monitor.setPaused(false)
    if (!this.monitor.live) router.push({ range: null, pinMs: null })
  }

  togglePause(): void {
    if (this.monitor.live) this.monitor.setPaused(!this.monitor.paused)
  }

  #shown(): Shown {
    const { range, fromMs, toMs, nowMs } = this.monitor
    return { range, fromMs, toMs, nowMs }
  }
}
