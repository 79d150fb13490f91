// How far things move by themselves while a page is opened: what moves under the pointer is missed by it.
import { open, pause } from './harness.mjs'

/** Runs in the page before anything else does. */
function watch() {
  globalThis.shifts = []
  const elementOf = ({ node }) => (node?.nodeType === Node.ELEMENT_NODE ? node : node?.parentElement) ?? null
  // A list that orders itself by live values holds still under the pointer.
  const holds = (source) => elementOf(source)?.closest('[data-holds]') != null
  const name = (source) => {
    const element = elementOf(source)
    return element === null ? '?' : `${element.tagName.toLowerCase()}.${[...element.classList].filter((each) => !each.startsWith('svelte-')).join('.')}`
  }
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources, startTime } of list.getEntries()) if (!hadRecentInput && !sources.every(holds)) globalThis.shifts.push({ value, ms: Math.round(startTime), moved: sources.map(name) })
  }).observe({ type: 'layout-shift', buffered: true })
}

/** Opens a page that remembers what moves; `complaints` as with `open`. */
export async function openWatched(browser, server, path, size, init = () => undefined) {
  const opened = await open(browser, server, '/healthz', size)
  await opened.page.addInitScript(watch)
  await init(opened.page)
  await opened.page.goto(server.url + path)
  await opened.page.waitForSelector('[data-fresh=live]')
  return opened
}

/** What moved until a page has been at rest for a while, or for as long as it is looked at; the sum as Chromium counts it. */
export async function shiftsOf(page, { restMs = 2000, longestMs = 10_000 } = {}) {
  const end = Date.now() + longestMs
  const seen = () => page.evaluate(() => globalThis.shifts)
  let shifts = await seen()
  for (let before = -1; shifts.length !== before && Date.now() < end; ) {
    before = shifts.length
    await pause(restMs)
    shifts = await seen()
  }
  return { sum: shifts.reduce((sum, { value }) => sum + value, 0), shifts }
}
