import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { accessible, fits, launch, open, pause, Server, settled, shoot } from './harness.mjs'

const SIZES = [[1440, 900], [768, 1024], [390, 844]]
const table = (page) => page.locator('[role=row][data-key]').first().waitFor()
const settledCharts = (page) => page.waitForSelector('figure .uplot')
/** A host without services answers 404, which a browser reports. */
const expected = (complaint) => /404 for \/api\/services|status of 404/.test(complaint)
const VIEWS = [
  ['host', '/', settled],
  // On a phone the processes of that moment leave no room for a chart.
  ['host-pinned', null, (page) => page.getByText(/^Open the process table at/).waitFor()],
  ['processes', '/processes', table],
  ['tree', '/processes?view=tree', table],
  ['services', '/services', (page) => page.locator('main').getByRole('heading').or(page.locator('[role=row][data-key]')).first().waitFor()],
  ['disks', '/disks', settledCharts],
  ['network', '/network', table],
  ['events', '/events?from=now-5m', table],
  ['inventory', '/inventory', (page) => page.getByRole('heading', { name: 'Computer' }).waitFor()],
  ['overview', '/overview', table],
  ['alerts', '/alerts', (page) => page.getByRole('grid', { name: 'Incidents' }).waitFor()],
  ['rules', '/rules', table],
  ['configuration', '/configuration?kind=windows', (page) => page.getByText('It would hide').or(page.getByText('There are no alerts now')).waitFor()],
  ['backtest', '/configuration?kind=rules', (page) => page.locator('[data-backtest=done]').waitFor()],
  ['dashboards', '/dashboards', (page) => page.locator('[data-panel=chart] .uplot').waitFor()],
  ['explore', '/explore?q=sum%20by%20(mode)%20(rate(cpu_seconds_total%5B1m%5D))', table],
  ['explore-table', '/explore?view=table&q=process_count', table],
  ['status', '/status', (page) => page.getByRole('heading', { name: 'Collectors' }).waitFor()],
]

let server
let browser

before(async () => {
  server = await Server.create()
  browser = await launch()
  const panels = [['chart', 'cpu_usage'], ['number', 'memory_percent'], ['table', 'disk_percent'], ['status', 'disk_percent']].map(([type, query]) => `- {type: ${type}, title: ${type}, queries: [${query}], critical: 1}`)
  await fetch(`${server.url}/api/documents/dashboards/looks`, { method: 'PUT', body: `title: Looks\npanels:\n${panels.join('\n')}\n- {type: text, text: Read me}\n` })
  // The first list of processes is stored after ten seconds.
  await pause(21_000)
})

after(async () => {
  await browser?.close()
  await server?.remove()
})

for (const theme of ['dark', 'light']) {
  for (const [width, height] of SIZES) {
    for (const [name, path, ready] of VIEWS) {
      test(`${name}, ${theme}, ${width} px: fits, is accessible and complains of nothing`, async () => {
        const now = Math.floor(Date.now() / 1000) * 1000
        const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z')
        const address = path ?? `/?from=${iso(now - 30_000)}&to=${iso(now - 1000)}&pin=${iso(now - 5000)}`
        const { page, complaints } = await open(browser, server, address, { width, height, theme })
        await ready(page)
        await pause(700)
        await fits(page)
        assert.equal(await page.evaluate(() => document.getAnimations().length), 0, 'something still moves, which costs power')
        await shoot(page, `${name}-${theme}-${width}`)
        await accessible(page)
        assert.deepEqual(name === 'services' ? complaints.filter((each) => !expected(each)) : complaints, [])
        await page.close()
      })
    }
  }
}

test('dialogs and the range picker are accessible too', async () => {
  const { page, complaints } = await open(browser, server)
  await settled(page)
  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  await shoot(page, 'keys')
  await accessible(page)
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+k')
  await page.getByRole('option').first().waitFor()
  await shoot(page, 'palette')
  await accessible(page)
  await page.keyboard.press('Escape')
  await page.locator('[data-range]').click()
  await shoot(page, 'range')
  await accessible(page)
  await page.keyboard.press('Escape')
  await page.locator('[data-chart=cpu] figcaption button').click()
  await shoot(page, 'table')
  await accessible(page)
  assert.deepEqual(complaints, [])
  await page.close()
})

test('a window of 320 px loses nothing', async () => {
  const { page } = await open(browser, server, '/', { width: 320, height: 640 })
  await settled(page)
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0)
  await shoot(page, 'host-320')
  await page.close()
})

test('without a connection the page is still accessible', async () => {
  const { page } = await open(browser, server)
  await settled(page)
  await server.stop()
  await page.locator('[data-strip=offline]').waitFor()
  await pause(6000)
  await shoot(page, 'offline')
  await accessible(page)
  await page.close()
  await server.start()
})
