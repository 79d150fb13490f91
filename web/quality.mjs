// What Lighthouse asks of a page, as far as it can be asked without a network: part of `npm run measure`.
import { readFileSync } from 'node:fs'
import { pause, webPath } from './tests/harness.mjs'
import { openWatched, shiftsOf } from './tests/shifts.mjs'

const PAGES = [['host', '/?from=now-15m'], ['overview', '/overview'], ['processes', '/processes'], ['alerts', '/alerts'], ['explore', '/explore?q=cpu_usage'], ['dashboards', '/dashboards'], ['configuration', '/configuration'], ['status', '/status']]
const SIZES = [[1440, 900], [390, 844]]
/** A task that takes longer than this keeps a person waiting; what is above counts, as in Lighthouse's total blocking time. */
const BLOCKING_MS = 50
const LOOK_MS = 6000

/** Runs in the page before anything else does. */
function watch(blockingMs) {
  globalThis.seen = { blocked: 0, painted: 0 }
  const each = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true })
  each('longtask', ({ duration }) => (globalThis.seen.blocked += Math.max(0, duration - blockingMs)))
  each('paint', ({ name, startTime }) => name === 'first-contentful-paint' && (globalThis.seen.painted = startTime))
}

/** What the document says of itself. */
function documentFaults() {
  const has = (selector) => document.querySelector(selector) !== null
  const wanted = {
    'a doctype': document.doctype !== null, 'a language': document.documentElement.lang !== '', 'a title': document.title !== '', 'a viewport': has('meta[name=viewport]'),
    'a description': has('meta[name=description][content]'), 'a character set': document.characterSet === 'UTF-8', 'an icon': has('link[rel=icon]'), 'one first heading': document.querySelectorAll('h1').length === 1,
    'a main landmark': has('main'), 'names of all buttons': [...document.querySelectorAll('button, a[href]')].every((each) => (each.ariaLabel ?? each.textContent ?? each.title).trim() !== ''),
  }
  return Object.entries(wanted).filter(([, there]) => !there).map(([name]) => name)
}

async function axeFaults(page, axe) {
  await page.evaluate(axe)
  return page.evaluate(async () => {
    // Sizes of targets are a rule of WCAG 2.2, which axe leaves out unless it is asked.
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } })
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
  })
}

/** Shifts, blocking, first paint and faults of every page, at two sizes. */
export async function quality(browser, server) {
  const axe = readFileSync(webPath('node_modules/axe-core/axe.min.js'), 'utf8')
  const figures = {}
  for (const [name, path] of PAGES) {
    for (const [width, height] of SIZES) {
      const { page, complaints } = await openWatched(browser, server, path, { width, height }, (page) => page.addInitScript(watch, BLOCKING_MS))
      await pause(LOOK_MS)
      const { blocked, painted } = await page.evaluate(() => globalThis.seen)
      const { sum: shift, shifts } = await shiftsOf(page, { longestMs: 0 })
      const faults = [...(await page.evaluate(documentFaults)), ...(await axeFaults(page, axe)), ...complaints]
      const moved = shift < 0.005 ? '' : ` (${[...new Set(shifts.flatMap(({ moved }) => moved))].slice(0, 4).join('; ')})`
      figures[`${name}, ${width} px: layout shift, blocked ms, first paint ms, faults`] = `${shift.toFixed(3)}${moved}, ${blocked.toFixed(0)}, ${painted.toFixed(0)}, ${faults.length === 0 ? 'none' : faults.join('; ')}`
      await page.close()
    }
  }
  return figures
}
