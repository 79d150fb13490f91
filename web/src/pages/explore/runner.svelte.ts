import { gridFor, type Grid } from '../../charts/frame'
import { queryAt, queryRange, type Result } from '../../data/prometheus'
import type { Monitor } from '../../data/monitor.svelte'

export interface Asked {
  text: string
  answer: Result | null
  warnings: readonly string[]
  error: string | null
}

/** More series than are drawn, so that a table can tell of them; fewer than would choke a browser. */
const LIMIT = 1000

/** Asks all queries of the page at once, over the range that is shown or at its end. */
export class Runner {
  asked = $state.raw<readonly Asked[]>([])
  grid = $state.raw<Grid>({ firstMs: 0, stepMs: 1000, count: 0 })
  running = $state(false)
  /** When the answers came, and how long they took; in milliseconds. */
  tookMs = $state(0)
  #stop: AbortController | undefined

  constructor(readonly monitor: Monitor) {}

  get results(): (Result | null)[] {
    return this.asked.map((each) => each.answer)
  }

  async run(queries: readonly string[], view: 'chart' | 'table'): Promise<void> {
    this.#stop?.abort()
    const stop = new AbortController()
    this.#stop = stop
    const { monitor } = this
    const { fromMs, toMs, stepMs } = monitor
    const grid = gridFor(fromMs, toMs, stepMs)
    this.running = true
    const started = performance.now()
    const span = { fromMs: grid.firstMs, toMs: grid.firstMs + (grid.count - 1) * stepMs, stepMs }
    const asked = await Promise.all(queries.map((text) => this.#ask(text, view, span, toMs, stop.signal)))
    if (stop.signal.aborted) return
    this.running = false
    this.tookMs = performance.now() - started
    this.grid = view === 'chart' ? grid : { ...grid, count: 0 }
    this.asked = asked
  }

  stop(): void {
    this.#stop?.abort()
    this.running = false
  }

  async #ask(text: string, view: 'chart' | 'table', span: { fromMs: number; toMs: number; stepMs: number }, atMs: number, stop: AbortSignal): Promise<Asked> {
    if (text.trim() === '') return { text, answer: null, warnings: [], error: null }
    try {
      const { data, warnings } = await (view === 'chart' ? queryRange(text, span, LIMIT, stop) : queryAt(text, atMs, LIMIT, stop))
      return { text, answer: data, warnings, error: null }
    } catch (error) {
      return { text, answer: null, warnings: [], error: error instanceof Error ? error.message : String(error) }
    }
  }
}
