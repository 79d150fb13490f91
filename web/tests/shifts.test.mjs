import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, Server } from './harness.mjs'
import { openWatched, shiftsOf } from './shifts.mjs'

/** Of the window: a fifth of what counts as good elsewhere. */
const MOST = 0.02
const SIZES = [[1440, 900], [390, 844]]
const PAGES = [
  '/?from=now-15m', '/overview', '/processes', '/services', '/disks', '/network', '/events', '/inventory', '/alerts', '/rules', '/explore?q=cpu_usage', '/dashboards', '/status',
  '/configuration', '/configuration?kind=rules', '/configuration?kind=rules&name=limits', '/configuration?kind=people&name=anna', '/configuration?kind=scrapes&name=node', '/configuration?kind=watch&name=default',
  '/configuration?kind=channels&name=mail', '/configuration?kind=policies&name=day', '/configuration?kind=rules&name=limits&tab=history',
]
const DOCUMENTS = {
  'channels/mail': 'type: webhook\nurl: http://127.0.0.1:9/\n',
  'people/anna': 'contacts: [{channel: mail}]\n',
  'policies/day': 'steps: [{notify: [person:anna]}]\n',
  'scrapes/node': "targets: ['127.0.0.1:9']\n",
  'watch/default': 'processes: [node]\n',
  'rules/limits': 'groups: [{name: limits, interval: 1s, rules: [{alert: Memory, metric: memory_percent, greater_than: 0.1, severity: critical}]}]\n',
  'dashboards/mine': 'title: Mine\npanels: [{type: chart, queries: [cpu_usage]}, {type: number, queries: [memory_percent]}]\n',
}
let server
let browser

before(async () => {
  server = await Server.create()
  browser = await launch()
  for (const [name, body] of Object.entries(DOCUMENTS)) {
    const answer = await fetch(`${server.url}/api/documents/${name}`, { method: 'PUT', body })
    assert.equal(answer.ok, true, await answer.text())
  }
  // An alert that fires puts a badge, a cap on its chart and a row on the pages.
  for (;;) {
    const { incidents } = await server.json('/api/incidents?open=true')
    if (incidents.length > 0) break
  }
})

after(async () => {
  await browser?.close()
  await server?.remove()
})

for (const [width, height] of SIZES) {
  for (const path of PAGES) {
    test(`${path}, ${width} px: nothing moves away from the pointer while the page comes`, async () => {
      const { page } = await openWatched(browser, server, path, { width, height })
      const { sum, shifts } = await shiftsOf(page)
      if (process.env.SHOW) console.log(sum.toFixed(4), path, width, JSON.stringify(shifts.filter((s) => s.value > 0.0005)))
      assert.ok(sum <= MOST, `moved by ${sum.toFixed(3)}: ${JSON.stringify(shifts)}`)
      await page.close()
    })
  }
}
