// The clock of the browser's computer is wrong, or is set while the page is open: what is shown is the server's time.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, open, pause, Server, settled } from './harness.mjs'

const HOUR_MS = 3_600_000
let server
let browser

before(async () => {
  server = await Server.create()
  browser = await launch()
  // The clock that people can set; the one that only counts goes on.
  await browser.context.addInitScript(() => {
    const Real = Date
    globalThis.skewMs = Number(sessionStorage.getItem('skew') ?? 0)
    globalThis.Date = class extends Real {
      constructor(...given) {
        if (given.length === 0) super(Real.now() + globalThis.skewMs)
        else super(...given)
      }

      static now() {
        return Real.now() + globalThis.skewMs
      }
    }
  })
  await pause(5000)
})

after(async () => {
  await browser?.close()
  await server?.remove()
})

const setClock = (page, ms) => page.evaluate((skew) => {
  globalThis.skewMs = skew
  sessionStorage.setItem('skew', String(skew))
}, ms)

async function newest(page) {
  await page.locator('[data-chart=memory] figcaption button[aria-label*=table]').click()
  const time = await page.locator('dialog tbody tr:not(.summary) th').first().textContent()
  await page.keyboard.press('Escape')
  await page.locator('dialog').waitFor({ state: 'detached' })
  return time
}

/** Seconds between a time of day on the page and now. */
function off(time) {
  const [hours, minutes, seconds] = time.split(' ').at(-1).split(':').map(Number)
  const now = new Date()
  return Math.abs(hours * 3600 + minutes * 60 + seconds - (now.getHours() * 3600 + now.getMinutes() * 60 + now.getSeconds()))
}

async function truthful(page) {
  await pause(2500)
  assert.equal(await page.locator('[data-fresh]').getAttribute('data-fresh'), 'live')
  assert.equal(await page.locator('[data-strip]').count(), 0)
  const time = await newest(page)
  assert.ok(off(time) < 10, `the newest value is said to be of ${time}`)
}

for (const [name, skew] of [['an hour behind', -HOUR_MS], ['an hour ahead', HOUR_MS]]) {
  test(`a browser that is ${name}, from now on or from the start, shows the server's time`, async () => {
    const { page, complaints } = await open(browser, server, '/?from=now-1m')
    await settled(page)
    await truthful(page)
    await setClock(page, skew)
    await truthful(page)
    await page.reload()
    await settled(page)
    await truthful(page)
    await setClock(page, 0)
    await truthful(page)
    assert.deepEqual(complaints, [])
    await page.close()
  })
}

test('a silence begins when the server thinks it does', async () => {
  const { page } = await open(browser, server, '/')
  const rules = 'groups:\n  - name: clock\n    interval: 1s\n    rules:\n      - alert: Clocked\n        expr: memory_percent > 0\n'
  const put = await fetch(`${server.url}/api/documents/rules/clock`, { method: 'PUT', body: rules })
  assert.ok(put.ok, await put.text())
  await page.waitForSelector('[data-fresh=live]')
  await setClock(page, -HOUR_MS)
  for (let i = 0; i < 100 && (await server.json('/api/incidents')).incidents.length === 0; i++) await pause(200)
  const [{ number }] = (await server.json('/api/incidents')).incidents
  await page.goto(`${server.url}/alerts?row=${number}`)
  await page.locator('[data-detail]').getByRole('button', { name: 'Silence' }).click()
  await page.getByLabel('Your name').fill('Anna')
  await page.locator('[data-detail] textarea').fill('maintenance')
  await page.getByLabel('Ends when the alert does').uncheck()
  await page.locator('[data-detail]').getByRole('button', { name: 'Save' }).click()
  for (let i = 0; i < 100; i++) {
    const { documents } = await server.json('/api/documents/silences')
    if (documents.length > 0) break
    await pause(100)
  }
  const { documents: [{ name }] } = await server.json('/api/documents/silences')
  const { text } = await server.json(`/api/documents/silences/${encodeURIComponent(name)}`)
  const from = Date.parse(/from: (\S+)/.exec(text)[1])
  assert.ok(Math.abs(from - Date.now()) < 60_000, text)
  await page.close()
})
