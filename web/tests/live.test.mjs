import assert from 'node:assert/strict'
import { test } from 'node:test'
import { legend, pause, plotBox, Server, settled, stage } from './harness.mjs'

const it = stage(async () => {
  const server = await Server.create()
  // Enough of a past to zoom into.
  await pause(12_000)
  return server
})

async function show(path) {
  const page = await it.show(path)
  await settled(page)
  return page
}

const cardValue = (page, card) => page.locator(`[data-card=${card}] .value`).textContent()
const search = (page) => new URL(page.url()).searchParams

test('live values arrive and move', async () => {
  const page = await show('/')
  const seen = new Set()
  for (let i = 0; i < 30 && seen.size < 3; i++) {
    seen.add(`${await cardValue(page, 'cpu')} ${await cardValue(page, 'io')} ${await cardValue(page, 'network')}`)
    await pause(400)
  }
  assert.ok(seen.size >= 3, `the cards showed only ${[...seen].join(', ')}`)
})

test('cards agree with the interface for scripts', async () => {
  const page = await show('/')
  let last
  for (let i = 0; i < 40; i++) {
    const { system } = await it.server.json('/api/current_metrics')
    const shown = { cpu: await cardValue(page, 'cpu'), memory: await cardValue(page, 'memory') }
    const near = (text, value) => Math.abs(Number.parseFloat(text.replace('<', '')) - value) < 0.1
    last = `${JSON.stringify(shown)} against cpu_usage ${system.cpu_usage}, memory_percent ${system.memory_percent}`
    if (near(shown.cpu, system.cpu_usage) && near(shown.memory, system.memory_percent)) return
    await pause(130)
  }
  assert.fail(`the cards never agreed: ${last}`)
})

test('the host is described as the server tells it', async () => {
  const page = await show('/')
  const host = await it.server.json('/api/host')
  assert.equal(await page.locator('h1').textContent(), host.host)
  const facts = await page.getByRole('list', { name: 'About this host' }).textContent()
  for (const fact of [host.os_name, host.kernel, host.cpu_model].filter(Boolean)) assert.ok(facts.includes(fact), `${fact} is missing in ${facts}`)
})

test('a range is chosen, typed, refused when it is none, and kept in the address', async () => {
  const page = await show('/')
  await page.locator('[data-range]').click()
  await page.getByRole('button', { name: 'Last 6 h' }).click()
  assert.equal(search(page).get('from'), 'now-6h')
  await page.waitForFunction(() => document.querySelector('[data-chart=load] .about, [data-chart=network] .about')?.textContent.includes('max per'))

  await page.keyboard.press('r')
  await page.keyboard.type('5 parsecs')
  await page.keyboard.press('Enter')
  assert.match(await page.locator('#range-problem').textContent(), /Not a range/)
  assert.equal(search(page).get('from'), 'now-6h')
  await page.locator('#range-text').fill('2m')
  await page.keyboard.press('Enter')
  assert.equal(search(page).get('from'), 'now-2m')
  await page.goBack()
  assert.equal(search(page).get('from'), 'now-6h')

  await page.reload()
  await settled(page)
  assert.match(await page.locator('[data-range]').textContent(), /Last 6 h/)
})

test('every preset shows values', async () => {
  const page = await show('/')
  for (const [name, from] of [['Last 1 h', 'now-1h'], ['Last 24 h', 'now-1d'], ['Last 7 d', 'now-1w'], ['Last 30 d', 'now-30d'], ['Everything', 'all']]) {
    await page.locator('[data-range]').click()
    await page.getByRole('button', { name, exact: true }).click()
    assert.equal(search(page).get('from'), from)
    await page.waitForFunction(() => {
      const value = document.querySelector('[data-chart=memory] .legend .value')?.textContent
      return value !== undefined && value !== '–' && document.querySelector('[data-chart=memory] .progress') === null
    })
  }
})

test('a deep link restores range and pin', async () => {
  const to = Math.floor(Date.now() / 1000) * 1000 - 1000
  const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z')
  const page = await show(`/?from=${iso(to - 10_000)}&to=${iso(to)}&pin=${iso(to - 4000)}`)
  assert.equal(await page.getByRole('button', { name: 'Go live' }).count(), 1)
  const clock = iso(to - 4000).slice(11, 19)
  await page.evaluate(() => localStorage.setItem('barograph.zone', 'utc'))
  await page.reload()
  await settled(page)
  await page.getByText(`Pinned ${clock}`).waitFor()
  assert.equal(search(page).get('pin'), iso(to - 4000))
  await page.evaluate(() => localStorage.removeItem('barograph.zone'))
})

test('a drag zooms in, Back and Z undo it', async () => {
  const page = await show('/?from=now-1m')
  const box = await plotBox(page, 'memory')
  const drag = async (from, to) => {
    await page.mouse.move(box.x + box.width * from, box.y + 30)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * to, box.y + 40, { steps: 8 })
    await page.mouse.up()
  }
  await drag(0.5, 0.95)
  await page.waitForFunction(() => location.search.includes('to='))
  const span = Date.parse(search(page).get('to')) - Date.parse(search(page).get('from'))
  assert.ok(span > 22_000 && span < 32_000, `zoomed to ${span} ms`)
  await page.goBack()
  assert.equal(search(page).get('from'), 'now-1m')

  await drag(0.5, 0.95)
  await page.waitForFunction(() => location.search.includes('to='))
  await page.mouse.move(5, 5)
  await page.keyboard.press('z')
  await page.waitForFunction(() => location.search === '?from=now-1m')

  await drag(0.4, 0.9)
  await page.waitForFunction(() => location.search.includes('to='))
  await page.mouse.dblclick(box.x + box.width / 2, box.y + 40)
  await page.waitForFunction(() => location.search === '?from=now-1m')
})

test('the crosshair is shared and each legend shows its moment', async () => {
  const page = await show('/?from=now-15s')
  await page.keyboard.press(' ')
  await page.waitForSelector('[data-fresh=paused]')
  const box = await plotBox(page, 'memory')
  const at = async (share) => {
    await page.mouse.move(box.x + box.width * share, box.y + 40)
    await pause(150)
    const positions = await page.$$eval('[data-chart=cpu] .u-cursor-x, [data-chart=memory] .u-cursor-x', (lines) =>
      lines.map((line) => new DOMMatrix(getComputedStyle(line).transform).e),
    )
    assert.equal(positions.length, 2)
    assert.ok(Math.abs(positions[0] - positions[1]) < 2, `the crosshairs stand at ${positions}`)
    return JSON.stringify(await legend(page, 'cpu'))
  }
  const seen = new Set()
  for (const share of [0.45, 0.55, 0.65, 0.75, 0.85]) seen.add(await at(share))
  assert.ok(seen.size >= 2, 'the CPU legend did not follow the pointer over the memory chart')
})

test('a click pins and Escape unpins', async () => {
  const page = await show('/?from=now-1m')
  const box = await plotBox(page, 'memory')
  await page.mouse.click(box.x + box.width * 0.9, box.y + 40)
  await page.waitForFunction(() => location.search.includes('pin='))
  await page.getByText(/^Pinned \d/).waitFor()
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => !location.search.includes('pin='))
})

test('a legend shows one series alone and all again', async () => {
  const page = await show('/')
  const items = page.locator('[data-chart=memory] .legend .item:has(.label)')
  await items.first().click()
  assert.deepEqual(await items.evaluateAll((all) => all.map((item) => item.ariaPressed)), ['true', ...Array((await items.count()) - 1).fill('false')])
  await items.first().click()
  assert.ok((await items.evaluateAll((all) => all.map((item) => item.ariaPressed))).every((pressed) => pressed === 'true'))
})

test('a chart can be read as a table that holds what the interface says', async () => {
  const page = await show('/?from=now-1m')
  await page.locator('[data-chart=memory] figcaption button').click()
  const rows = await page.locator('dialog tbody tr:not(.summary)').count()
  assert.ok(rows >= 5, `${rows} rows`)
  const times = await page.$$eval('dialog tbody tr:not(.summary) th', (cells) => cells.map((cell) => cell.textContent))
  assert.equal(new Set(times).size, times.length, 'a moment appears twice')
  await page.keyboard.press('Escape')
  await page.locator('dialog').waitFor({ state: 'detached' })
})

test('pausing holds everything still, resuming fills what went by', async () => {
  const page = await show('/?from=now-1m')
  await page.keyboard.press(' ')
  await page.waitForSelector('[data-fresh=paused]')
  const still = await legend(page, 'cpu')
  const card = await cardValue(page, 'cpu')
  const from = Date.now()
  await pause(4500)
  assert.deepEqual(await legend(page, 'cpu'), still)
  assert.equal(await cardValue(page, 'cpu'), card)
  await page.keyboard.press(' ')
  await settled(page)
  await pause(1500)
  const shown = await momentsOf(page, 'memory')
  for (let second = Math.ceil(from / 1000); second < Math.floor(from / 1000) + 4; second++) {
    assert.ok(shown.includes(clock(second * 1000)), `${clock(second * 1000)} is missing after the pause: ${shown}`)
  }
})

const clock = (ms) => new Date(ms).toTimeString().slice(0, 8)

async function momentsOf(page, chart) {
  await page.locator(`[data-chart=${chart}] figcaption button`).click()
  const times = await page.$$eval('dialog tbody tr:not(.summary) th', (cells) => cells.map((cell) => cell.textContent))
  await page.keyboard.press('Escape')
  return times
}

test('everything is reached with the keyboard alone', async () => {
  const page = await show('/')
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement.className.includes('skip')), true, 'the skip link comes first')
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
  await page.keyboard.press('Escape')
  await page.locator('dialog').waitFor({ state: 'detached' })

  await page.keyboard.press('j')
  await page.keyboard.press('j')
  assert.equal(await page.evaluate(() => document.activeElement.closest('figure')?.dataset.chart), 'memory')
  await page.keyboard.press('ArrowLeft')
  const first = search(page).get('pin')
  assert.ok(first, 'an arrow key pins')
  await page.keyboard.press('ArrowLeft')
  assert.ok(Date.parse(search(page).get('pin')) < Date.parse(first), 'an arrow key moves the pin')
  assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-valuetext')), /used/)
  await page.keyboard.press('Escape')
  assert.equal(search(page).get('pin'), null)

  await page.keyboard.press('r')
  await page.keyboard.type('1h')
  await page.keyboard.press('Enter')
  assert.equal(search(page).get('from'), 'now-1h')
  await page.keyboard.press('+')
  assert.equal(search(page).get('from'), 'now-30m')
  await page.keyboard.press('-')
  assert.equal(search(page).get('from'), 'now-1h')
  await page.keyboard.press('[')
  assert.ok(search(page).get('to'), 'one width earlier is in the past')
  await page.keyboard.press('l')
  assert.equal(page.url(), `${it.server.url}/`)
  await page.keyboard.press('t')
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark')
  await page.keyboard.press('t')
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light')
  await page.keyboard.press('t')
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), undefined)
  await page.keyboard.press('y')
  await page.getByText('Link copied').waitFor()
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url())
  await page.keyboard.press('g')
  await page.keyboard.press('s')
  assert.equal(new URL(page.url()).pathname, '/status')
  await page.keyboard.press('g')
  await page.keyboard.press('h')
  assert.equal(new URL(page.url()).pathname, '/')
})

test('single-key shortcuts can be switched off', async () => {
  const page = await show('/')
  await page.keyboard.press('?')
  await page.getByLabel('Single-key shortcuts').uncheck()
  await page.keyboard.press('Escape')
  await page.keyboard.press('t')
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), undefined)
  await page.evaluate(() => localStorage.removeItem('barograph.shortcuts'))
})

test('a chosen theme is there before the first paint', async () => {
  const page = await show('/')
  await page.locator('[data-theme-switch]').click()
  await page.locator('[data-theme-switch]').click()
  await page.addInitScript(() => {
    addEventListener('DOMContentLoaded', () => (globalThis.themeAtParse = document.documentElement.dataset.theme))
  })
  await page.reload()
  assert.equal(await page.evaluate(() => globalThis.themeAtParse), 'light')
  await page.evaluate(() => localStorage.removeItem('barograph.theme'))
})

test('a section collapses and stays so', async () => {
  const page = await show('/')
  await page.getByRole('button', { name: 'Processor and memory' }).click()
  assert.equal(await page.locator('[data-chart=cpu]').count(), 0)
  await page.reload()
  await page.waitForSelector('[data-fresh=live]')
  await page.waitForSelector('#section-processor')
  assert.equal(await page.locator('[data-chart=cpu]').count(), 0)
  await page.evaluate(() => localStorage.removeItem('barograph.collapsed'))
})

test('a chart is missing only when its metrics are, and then says so', async () => {
  const page = await show('/')
  const names = new Set((await it.server.json('/api/metrics')).map((metric) => metric.name))
  assert.equal((await page.locator('[data-chart=load]').count()) === 1, names.has('system_load1'))
  assert.equal(await page.getByText('No load average on this host').count(), names.has('system_load1') ? 0 : 1)
})

test('system health tells of every collector', async () => {
  const page = await show('/')
  await page.getByRole('link', { name: 'System health' }).click()
  const status = await it.server.json('/api/status')
  for (const collector of status.collectors) await page.getByRole('rowheader', { name: collector.name, exact: true }).waitFor()
  const numbers = await page.$$eval('dl div', (rows) => Object.fromEntries(rows.map((row) => [row.querySelector('dt').textContent, row.querySelector('dd').textContent])))
  for (const [name, value] of Object.entries(numbers)) assert.match(value, name === 'Readings' ? /on time|\d/ : /\d/, `${name} is ${value}`)
  const tiers = await page.getByRole('group', { name: /^History/ }).locator('tbody tr').allTextContents()
  assert.deepEqual(tiers.map((row) => row.match(/Every reading|Minutes|Hours/)?.[0]), ['Every reading', 'Minutes', 'Hours'])
  assert.match(tiers[0], /\d.*30 d/)
  await page.goBack()
  await page.locator('[data-card=cpu]').waitFor()
})

test('an address that does not exist says so', async () => {
  const page = await it.open('/nowhere')
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
})
