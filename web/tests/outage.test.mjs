import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, open, pause, Server, settled } from './harness.mjs'

let server
let browser

before(async () => {
  server = await Server.create()
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await server?.remove()
})

const clock = (ms) => new Date(ms).toTimeString().slice(0, 8)

async function moments(page) {
  await page.locator('[data-chart=memory] figcaption button').click()
  const times = await page.$$eval('dialog tbody tr:not(.summary) th', (cells) => cells.map((cell) => cell.textContent))
  await page.keyboard.press('Escape')
  await page.locator('dialog').waitFor({ state: 'detached' })
  return times.map((time) => time.split(' ').at(-1))
}

test('a server that goes and comes back leaves a gap, nothing twice and nothing lost, without a reload', async () => {
  await pause(6000)
  const { page } = await open(browser, server, '/?from=now-2m')
  await settled(page)
  await page.evaluate(() => (globalThis.sameDocument = true))
  const before = await moments(page)
  assert.ok(before.length >= 4)

  await server.stop()
  const stopped = Date.now()
  const strip = page.locator('[data-strip=offline]')
  await strip.waitFor()
  assert.match(await strip.textContent(), /Connection to Barograph lost/)
  assert.match(await strip.textContent(), /Trying again in \d+ s|Trying now/)
  await page.waitForSelector('[data-fresh=stale]')
  assert.match(await page.locator('[data-fresh]').textContent(), /Offline/)
  await page.getByText(/^Last known values/).waitFor()
  assert.ok((await page.locator('[data-card=cpu] .value').textContent()) !== '–', 'the last known value stays')
  await pause(9000)

  await server.start()
  const started = Date.now()
  await page.getByRole('button', { name: 'Retry now' }).click({ timeout: 5000 }).catch(() => {})
  await page.waitForSelector('[data-fresh=live]', { timeout: 40_000 })
  assert.equal(await strip.count(), 0)
  await pause(5000)

  assert.equal(await page.evaluate(() => globalThis.sameDocument), true, 'the page was reloaded')
  const shown = await moments(page)
  assert.equal(new Set(shown).size, shown.length, `a second appears twice: ${shown}`)
  for (const moment of before.slice(0, 3)) assert.ok(shown.includes(moment), `${moment} was lost`)
  const down = []
  for (let ms = stopped + 1500; ms < started - 2500; ms += 1000) down.push(clock(ms))
  assert.ok(down.length >= 4)
  for (const moment of down) assert.ok(!shown.includes(moment), `${moment} shows a value although nothing ran`)
  const since = Math.ceil(started / 1000) * 1000
  const recorded = await server.json(`/api/historical_metrics/memory_percent?hours=0.1`)
  for (const { timestamp } of recorded.filter((point) => Date.parse(point.timestamp) > since && Date.parse(point.timestamp) < since + 3000)) {
    assert.ok(shown.includes(clock(Date.parse(timestamp))), `${timestamp} is missing on the page`)
  }

  await page.waitForFunction(() => /Nothing was recorded from/.test(document.getElementById('memory-summary')?.textContent ?? ''), undefined, { timeout: 15_000 })
  await page.close()
})

test('a page opened after an outage shows the same gap', async () => {
  const { page, complaints } = await open(browser, server, '/?from=now-2m')
  await settled(page)
  await page.waitForFunction(() => /Nothing was recorded from/.test(document.getElementById('memory-summary')?.textContent ?? ''))
  assert.deepEqual(complaints, [])
  await page.close()
})

test('a tab that nobody sees lets go of the server and fills in what it missed', async () => {
  const page = await browser.context.newPage()
  await page.clock.install()
  await page.goto(`${server.url}/?from=now-2m`)
  await page.clock.resume()
  await settled(page)
  const setHidden = (hidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => value })
      document.dispatchEvent(new Event('visibilitychange'))
    }, hidden)
  const connections = async () => (await server.json('/api/status')).live_connections
  const open = await connections()
  await setHidden(true)
  await page.clock.fastForward(59_000)
  await pause(300)
  assert.equal(await connections(), open, 'a short look away keeps the connection')
  await page.clock.fastForward(2000)
  for (let i = 0; i < 30 && (await connections()) === open; i++) await pause(100)
  assert.equal(await connections(), open - 1)
  const from = Date.now()
  await pause(4000)
  await page.clock.setSystemTime(Date.now())
  await setHidden(false)
  await settled(page)
  await pause(1500)
  const shown = await moments(page)
  for (let ms = from + 1000; ms < from + 3500; ms += 1000) assert.ok(shown.includes(clock(ms)), `${clock(ms)} is missing after the tab came back`)
  await page.close()
})

test('a server that hangs is stale first, then unreachable, then live again', { skip: process.platform === 'win32' }, async () => {
  const { page } = await open(browser, server, '/?from=now-2m')
  await settled(page)
  server.freeze()
  const stale = page.locator('[data-strip=stale]')
  await stale.waitFor({ timeout: 9000 })
  assert.match(await stale.textContent(), /The last sample is from \d\d:\d\d:\d\d/)
  assert.match(await page.locator('[data-fresh]').textContent(), /No data ?for \d+ s/)
  assert.ok((await page.locator('[data-card=cpu]').getAttribute('class')).includes('old'), 'the card looks like a live one')
  await page.locator('[data-strip=offline]').waitFor({ timeout: 40_000 })
  server.thaw()
  await page.waitForSelector('[data-fresh=live]', { timeout: 40_000 })
  assert.equal(await page.locator('[data-strip]').count(), 0)
  await page.close()
})

test('without a server the page says so and finds it when it starts', async () => {
  const { page } = await open(browser, server)
  await settled(page)
  // Other pages come three seconds after the first.
  await pause(5000)
  await server.stop()
  await page.locator('[data-strip=offline]').waitFor()
  await page.getByRole('link', { name: 'System health' }).click()
  await page.getByText(/Could not be read/).waitFor()
  await server.start()
  await page.waitForSelector('[data-fresh=live]', { timeout: 40_000 })
  await page.getByRole('heading', { name: 'Collectors' }).waitFor()
  await page.close()
})
