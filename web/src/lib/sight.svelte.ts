import { paper } from './paper.svelte'

/** Where to begin with what comes next when somebody scrolls. */
const NEAR = '200px'

/** Whether something is on the screen, or nearly; on paper everything is. */
export class Sight {
  #near = $state(false)

  get seen(): boolean {
    return this.#near || paper.on
  }

  /** For `{@attach}`. */
  readonly watch = (element: Element): (() => void) => {
    const observer = new IntersectionObserver((entries) => (this.#near = entries.at(-1)?.isIntersecting === true), { rootMargin: NEAR })
    observer.observe(element)
    return () => observer.disconnect()
  }
}
