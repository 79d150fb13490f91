import { flushSync, tick } from 'svelte'

const LONGEST_MS = 5000
const LOOK_EVERY_MS = 50

/**
 * The page as it is printed: light, as wide as paper, and with every chart drawn. Nothing is laid out or fetched any more once a
 * browser prints, so all of it is done before.
 */
class Paper {
  on = $state(false)

  constructor() {
    // From the browser's menu there is no time to fetch; the colours are right at least.
    addEventListener('beforeprint', () => flushSync(() => this.#set(true)))
    addEventListener('afterprint', () => this.#set(false))
  }

  /** Prints once everything is there, or after some seconds with what there is. */
  async print(): Promise<void> {
    this.#set(true)
    await tick()
    const end = performance.now() + LONGEST_MS
    const pause = () => new Promise((done) => setTimeout(done, LOOK_EVERY_MS))
    await pause()
    while (document.querySelector('figure [data-waiting]') !== null && performance.now() < end) await pause()
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
    print()
  }

  #set(on: boolean): void {
    this.on = on
    document.documentElement.toggleAttribute('data-paper', on)
  }
}

export const paper = new Paper()
