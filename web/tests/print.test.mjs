// Paper: every chart is there, in the colours and the width of paper, whatever the screen shows.
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, open, pause, Server, settled } from './harness.mjs'

const SHOTS = process.env.BAROGRAPH_SHOTS
let server
let browser

before(async () => {
  server = await Server.create()
  browser = await launch()
  await pause(5000)
})

after(async () => {
  await browser?.close()
  await server?.remove()
})

/** Presses Ctrl P; the dialog of the browser is not opened, and the sheet is what it would show. */
async function printed(path) {
  const { page, complaints } = await open(browser, server, path, { theme: 'dark' })
  await settled(page)
  await page.evaluate(() => (globalThis.print = () => (globalThis.asked = true)))
  await page.keyboard.press('Control+p')
  await page.waitForFunction(() => globalThis.asked === true, undefined, { timeout: 15_000 })
  return { page, complaints }
}

test('every chart of the host is drawn on paper, light and no wider than it', async () => {
  const { page, complaints } = await printed('/?from=now-1m')
  const figures = await page.locator('figure').count()
  assert.ok(figures > 20, `${figures} charts`)
  assert.equal(await page.locator('figure .uplot').count(), figures, 'a chart is missing on paper')
  const narrow = await page.$$eval('figure canvas', (all) => Math.min(...all.map((canvas) => canvas.getBoundingClientRect().width)))
  assert.ok(narrow > 280, `a chart is ${narrow} px wide`)
  const wide = await page.$$eval('figure canvas', (all) => Math.max(...all.map((canvas) => canvas.getBoundingClientRect().right)))
  assert.ok(wide <= 718, `a chart ends at ${wide} px`)
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('figure')).backgroundColor), 'rgb(255, 255, 255)')
  assert.match(await page.locator('header .paper').innerText(), /^\d+ \w+ \d\d:\d\d:\d\d – .*, printed \d+ \w+/)
  for (const hidden of ['nav', 'header button', '[data-fresh]', 'figcaption button']) {
    assert.equal(await page.locator(hidden).filter({ visible: true }).count(), 0, `${hidden} is on paper`)
  }
  if (SHOTS) {
    await mkdir(SHOTS, { recursive: true })
    await page.pdf({ path: join(SHOTS, 'host.pdf'), format: 'A4' })
  }
  await page.evaluate(() => dispatchEvent(new Event('afterprint')))
  await page.waitForFunction(() => document.querySelectorAll('figure .uplot').length > 0 && !document.documentElement.hasAttribute('data-paper'))
  assert.deepEqual(complaints, [])
  await page.close()
})

test('tables are on paper as far as the screen shows them', async () => {
  const { page, complaints } = await open(browser, server, '/processes')
  await page.locator('[role=row][data-key]').first().waitFor()
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')))
  assert.ok((await page.locator('[role=row][data-key]').filter({ visible: true }).count()) > 5)
  assert.equal(await page.locator('[data-filter]').filter({ visible: true }).count(), 0)
  assert.deepEqual(complaints, [])
  await page.close()
})
