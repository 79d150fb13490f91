// What the page costs, in headless Chromium: `npm run measure`. Takes about seven minutes; `-- --minutes 2` shortens the look at the heap.
// `-- --soak 100` has fewer ticks in the look at 50 charts' heap; `-- --only charts` takes one part: sizes, first, charts, host,
// dashboard, quality or heap.
// Times are processor time of the page's main thread, so that other work on the machine changes them little.
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, preview } from 'vite'
import { quality } from './quality.mjs'
import { launch, open, pause, Server, settled, webPath } from './tests/harness.mjs'

const KB = 1024
const option = (name) => process.argv[process.argv.indexOf(name) + 1]
const TICKS = 20
const SOAK_TICKS = (process.argv.includes('--soak') && Number(option('--soak'))) || 3000
const LIVE_SECONDS = 30
const FIRST_CHARTS = 5
const HEAP_LOOKS = 7
const PANELS = 40
const minutes = (process.argv.includes('--minutes') && Number(option('--minutes'))) || 5

const zipped = (name) => gzipSync(readFileSync(webPath('dist/assets', name)), { level: 9 }).length / KB
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]

function sizes() {
  const index = readFileSync(webPath('dist/index.html'), 'utf8')
  const first = [...index.matchAll(/(?:src|href)="\/assets\/([^"]+)"/g)].map(([, name]) => name)
  const sum = (names) => names.reduce((all, name) => all + zipped(name), 0)
  const ends = (names, extension) => names.filter((name) => name.endsWith(extension))
  const all = readdirSync(webPath('dist/assets'))
  return { 'script on first load, gzipped, KB': sum(ends(first, '.js')), 'style on first load, gzipped, KB': sum(ends(first, '.css')), 'all scripts, gzipped, KB': sum(ends(all, '.js')) }
}

/** Processor time of the page's main thread since the start of it. */
async function meter(page) {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const read = async () => Object.fromEntries((await session.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]))
  return {
    async between(work) {
      const before = await read()
      await work()
      const after = await read()
      return { script: (after.ScriptDuration - before.ScriptDuration) * 1000, main: (after.TaskDuration - before.TaskDuration) * 1000 }
    },
    async heap() {
      await session.send('HeapProfiler.collectGarbage')
      const { JSHeapUsedSize, Nodes } = await read()
      return { mb: JSHeapUsedSize / KB / KB, nodes: Nodes }
    },
  }
}

/** Fifty charts of 3,600 points: the chart alone, without a server. */
async function fiftyCharts() {
  const browser = await launch({ ofPage: false })
  const outDir = await mkdtemp(join(tmpdir(), 'barograph-bench-'))
  await build({ configFile: false, root: webPath('bench'), logLevel: 'error', build: { outDir, emptyOutDir: true, rolldownOptions: { input: webPath('bench/charts.html') } } })
  const files = await preview({ configFile: false, root: webPath('bench'), logLevel: 'error', build: { outDir }, preview: { host: '127.0.0.1', port: 0 } })
  const page = await browser.context.newPage()
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.goto(`${files.resolvedUrls.local[0]}charts.html`)
  await page.waitForFunction(() => globalThis.advance !== undefined)
  const { between, heap } = await meter(page)
  const run = (...given) => page.evaluate((args) => globalThis.advance(...args), given)
  await run(3, true, 1000)
  const all = await between(() => run(TICKS, true, 1000))
  const visible = await between(() => run(TICKS, false, 1000))
  const before = await heap()
  await run(SOAK_TICKS, false, 0)
  const after = await heap()
  await browser.close()
  await files.close()
  await rm(outDir, { recursive: true, force: true })
  return {
    '50 charts of 3,600 points, all drawn: script per tick, ms': all.script / TICKS,
    '50 charts of 3,600 points, all drawn: main thread per tick, ms': all.main / TICKS,
    '50 charts of 3,600 points, those on the screen: script per tick, ms': visible.script / TICKS,
    '50 charts of 3,600 points, those on the screen: main thread per tick, ms': visible.main / TICKS,
    [`50 charts, heap before and after ${SOAK_TICKS} ticks, MB`]: `${before.mb.toFixed(1)}, ${after.mb.toFixed(1)}`,
    '50 charts, nodes of the document before and after': `${before.nodes}, ${after.nodes}`,
  }
}

async function firstChart(browser, server) {
  const times = []
  for (let i = 0; i < FIRST_CHARTS; i++) {
    const page = await browser.context.newPage()
    const started = Date.now()
    await page.goto(server.url)
    await settled(page)
    times.push(Date.now() - started)
    await page.close()
  }
  return { [`from navigation to the first charts with values, median of ${FIRST_CHARTS}, ms`]: median(times) }
}

/** The host page itself, live, with all of its charts on a very tall screen and on an ordinary one. */
async function hostPage(browser, server) {
  const figures = {}
  for (const [name, path, height] of [['host page, 15 minutes', '/?from=now-15m', 900], ['host page with every chart on the screen, 1 hour', '/?from=now-1h', 9000], ['processes', '/processes', 900]]) {
    const { page } = await open(browser, server, path, { height })
    await page.waitForSelector('[data-fresh=live]')
    await pause(5000)
    const charts = await page.locator('figure .uplot').count()
    const { between } = await meter(page)
    const { script, main } = await between(() => pause(LIVE_SECONDS * 1000))
    figures[`${name} (${charts} charts): script per second, ms`] = script / LIVE_SECONDS
    figures[`${name} (${charts} charts): main thread per second, ms`] = main / LIVE_SECONDS
    await page.close()
  }
  return figures
}

/** A dashboard of many panels, live, of which a screen shows a few. */
async function manyPanels(browser, server) {
  const panel = (i) => `- {type: chart, title: Panel ${i}, queries: ['cpu_usage + ${i}'], width: 6}\n`
  const body = `title: Many\npanels:\n${Array.from({ length: PANELS }, (_, i) => panel(i)).join('')}`
  const answer = await fetch(`${server.url}/api/documents/dashboards/many`, { method: 'PUT', body })
  if (!answer.ok) throw new Error(await answer.text())
  const { page } = await open(browser, server, '/dashboards?name=many&from=now-15m')
  await page.locator('[data-panel=chart] .uplot').first().waitFor()
  await pause(5000)
  let asked = 0
  page.on('request', (request) => (asked += request.url().includes('/api/v1/query') ? 1 : 0))
  const { between } = await meter(page)
  const { script, main } = await between(() => pause(LIVE_SECONDS * 1000))
  await page.close()
  return {
    [`dashboard of ${PANELS} panels: script per second, ms`]: script / LIVE_SECONDS,
    [`dashboard of ${PANELS} panels: main thread per second, ms`]: main / LIVE_SECONDS,
    [`dashboard of ${PANELS} panels: questions per second`]: asked / LIVE_SECONDS,
  }
}

async function heapOverTime(browser, server) {
  const { page } = await open(browser, server, '/?from=now-15m')
  await settled(page)
  const { heap } = await meter(page)
  const started = Date.now()
  const seen = []
  // The first minute fills the charts; seven looks tell growth from chance.
  for (let look = 0; look < HEAP_LOOKS; look++) {
    const at = 60_000 * (1 + ((minutes - 1) * look) / (HEAP_LOOKS - 1))
    await pause(Math.max(0, started + at - Date.now()))
    seen.push({ minute: at / 60_000, ...(await heap()) })
  }
  await page.close()
  const list = (value) => seen.map(value).join(', ')
  return {
    [`host page, heap after ${list(({ minute }) => minute.toFixed(0))} minutes, MB`]: list(({ mb }) => mb.toFixed(2)),
    'nodes of the document then': list(({ nodes }) => nodes),
  }
}

const browser = await launch()
const server = await Server.create()
try {
  // Each figure is printed when it is there: a run that is cut short has told something.
  const tell = (figures) => Object.entries(figures).forEach(([name, value]) => console.log(`${name}: ${typeof value === 'number' ? value.toFixed(1) : value}`))
  const parts = {
    sizes,
    first: () => firstChart(browser, server),
    charts: fiftyCharts,
    host: () => hostPage(browser, server),
    dashboard: () => manyPanels(browser, server),
    quality: () => quality(browser, server),
    heap: () => heapOverTime(browser, server),
  }
  await pause(10_000)
  for (const [name, part] of Object.entries(parts)) if (!process.argv.includes('--only') || option('--only') === name) tell(await part())
} finally {
  await browser.close()
  await server.remove()
}
