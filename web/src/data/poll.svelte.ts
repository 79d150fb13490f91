import { untrack } from 'svelte'
import { ApiError, getJson } from './protocol'
import type { Monitor } from './monitor.svelte'

export interface Problem {
  /** The server's own name for it; `null` when the server could not be reached. */
  code: string | null
  message: string
}

/**
 * The answer of one address, asked for again while it is shown: after a pause of `everyMs`, when the address changes, and when
 * the connection comes back. An answer stays until the next one is there. Must be made while a component is set up.
 */
export class Poll<T> {
  answer = $state.raw<T | null>(null)
  problem = $state.raw<Problem | null>(null)
  /** The answer is that of another address than the one asked for now. */
  pending = $state(true)
  #answered = ''
  #timer: ReturnType<typeof setTimeout> | undefined
  #running: AbortController | undefined

  constructor(
    readonly monitor: Monitor,
    /** `null` asks nothing. */
    readonly address: () => string | null,
    /** Milliseconds; `null` asks once. */
    readonly everyMs: () => number | null,
  ) {
    $effect(() => {
      const wanted = this.address()
      const reachable = monitor.link.name === 'open'
      untrack(() => {
        if (wanted !== this.#answered) this.pending = wanted !== null
        // Without a connection one attempt is made, which tells what is wrong.
        if (wanted !== null && (reachable || wanted !== this.#answered)) void this.#load(wanted)
      })
      return () => this.#stop()
    })
  }

  reload(): void {
    const wanted = untrack(() => this.address())
    if (wanted !== null) void this.#load(wanted)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#running?.abort()
  }

  async #load(wanted: string): Promise<void> {
    this.#stop()
    const running = new AbortController()
    this.#running = running
    try {
      const answer = await getJson<T>(wanted, running.signal)
      if (running.signal.aborted) return
      this.answer = answer
      this.problem = null
    } catch (error) {
      if (running.signal.aborted) return
      if (wanted !== this.#answered) this.answer = null
      this.problem = { code: error instanceof ApiError ? error.code : null, message: error instanceof Error ? error.message : String(error) }
    }
    this.#answered = wanted
    this.pending = false
    this.#again(wanted)
  }

  #again(wanted: string): void {
    const every = untrack(() => this.everyMs())
    if (every === null) return
    this.#timer = setTimeout(() => {
      if (document.hidden || this.monitor.paused || this.monitor.link.name !== 'open') this.#again(wanted)
      else void this.#load(untrack(() => this.address()) ?? wanted)
    }, every)
  }
}
