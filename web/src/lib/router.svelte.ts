import { href, parseRoute, type Route } from './route'

/** The address bar as state. Zooms are counted in the history, so that "zoom back" is the browser's own Back. */
class Router {
  route = $state.raw<Route>(parseRoute(new URL(location.href)))
  #zooms = countZooms()

  constructor() {
    addEventListener('popstate', () => {
      this.route = parseRoute(new URL(location.href))
      this.#zooms = countZooms()
    })
  }

  /** The route after a change. What only one page understands does not go along to the next. */
  after(change: Partial<Route>): Route {
    const leaves = change.page !== undefined && change.page !== this.route.page
    return { ...this.route, ...(leaves ? { view: {} } : {}), ...change }
  }

  /** A step that Back undoes. */
  push(change: Partial<Route>, zoom = false): void {
    const next = this.after(change)
    if (href(next) === href(this.route)) return
    this.#zooms = zoom ? this.#zooms + 1 : 0
    this.route = next
    history.pushState({ zooms: this.#zooms }, '', href(next))
  }

  replace(change: Partial<Route>): void {
    this.route = this.after(change)
    history.replaceState({ zooms: this.#zooms }, '', href(this.route))
  }

  /** Changes what only this page understands, without a step in the history. */
  view(change: Record<string, string>): void {
    this.replace({ view: { ...this.route.view, ...change } })
  }

  /** Undoes the last zoom; tells whether there was one. */
  zoomBack(): boolean {
    if (this.#zooms === 0) return false
    history.back()
    return true
  }
}

function countZooms(): number {
  const state = history.state as { zooms?: unknown } | null
  return typeof state?.zooms === 'number' ? state.zooms : 0
}

export const router = new Router()
