import { decode, type ClientMessage, type ServerMessage } from './protocol'

export type LinkState =
  /** `attempt` counts the failed ones before; 0 while nothing has gone wrong. */
  | { name: 'connecting'; attempt: number }
  | { name: 'open' }
  /** `retryAtMs` is the page's own time: `performance.now()`. */
  | { name: 'waiting'; retryAtMs: number; attempt: number }
  | { name: 'suspended' }

export interface LinkEvents {
  state(state: LinkState): void
  message(message: ServerMessage): void
}

const FIRST_RETRY_MS = 1000
const LONGEST_RETRY_MS = 30_000
const CONNECT_LIMIT_MS = 10_000
const FIRST_SILENCE_MS = 10_000
const LONGEST_SILENCE_MS = 60_000

/** Doubles up to half a minute, spread by a fifth so that many pages do not return in one instant. */
export function retryDelay(attempt: number, random: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** attempt, LONGEST_RETRY_MS) * (0.8 + 0.4 * random)
}

/** The one WebSocket of the page: opens, retries with growing pauses, and can be put to sleep. */
export class Link {
  #socket: WebSocket | null = null
  #attempt = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #silence: ReturnType<typeof setTimeout> | undefined
  #silenceMs = FIRST_SILENCE_MS

  constructor(
    readonly url: string,
    readonly events: LinkEvents,
  ) {}

  open(): void {
    this.#drop()
    this.events.state({ name: 'connecting', attempt: this.#attempt })
    const socket = new WebSocket(this.url)
    this.#socket = socket
    const limit = setTimeout(() => socket.close(), CONNECT_LIMIT_MS)
    socket.onopen = () => {
      clearTimeout(limit)
      this.#attempt = 0
      this.#listen()
      this.events.state({ name: 'open' })
    }
    socket.onmessage = (event: MessageEvent<unknown>) => {
      const message = typeof event.data === 'string' ? decode(event.data) : null
      if (message === null) return
      if (message.type === 'tick') this.#silenceMs = FIRST_SILENCE_MS
      this.#listen()
      this.events.message(message)
    }
    socket.onclose = () => {
      clearTimeout(limit)
      if (this.#socket === socket) this.#wait()
    }
  }

  send(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  /** Closes until `open` is called: a page that nobody sees asks for nothing. */
  suspend(): void {
    this.#drop()
    this.events.state({ name: 'suspended' })
  }

  #wait(): void {
    this.#drop()
    const delay = retryDelay(this.#attempt, Math.random())
    this.#attempt += 1
    this.#retry = setTimeout(() => this.open(), delay)
    this.events.state({ name: 'waiting', retryAtMs: performance.now() + delay, attempt: this.#attempt })
  }

  /** A connection can die without a close: silence is checked by connecting anew, more rarely if that did not help. */
  #listen(): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => {
      this.#silenceMs = Math.min(this.#silenceMs * 2, LONGEST_SILENCE_MS)
      this.open()
    }, this.#silenceMs)
  }

  #drop(): void {
    clearTimeout(this.#retry)
    clearTimeout(this.#silence)
    const socket = this.#socket
    this.#socket = null
    if (socket === null) return
    socket.onmessage = null
    socket.close()
  }
}
