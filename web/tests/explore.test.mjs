import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, afterEach, before, test } from 'node:test'
import { launch, open, pause, Server, settled } from './harness.mjs'

let server
let browser
let opened

before(async () => {
  server = await Server.create()
  browser = await launch()
  await pause(70_000)
})

after(async () => {
  await browser?.close()
  await server?.remove()
})

afterEach(async () => {
  assert.deepEqual(opened?.complaints ?? [], [], 'the page complained')
  await opened?.page.close()
  opened = undefined
})

const search = (page) => new URL(page.url()).searchParams
const editor = (page, n = 0) => page.locator('[data-query]').nth(n)
const row = (page, text) => page.locator('[role=row][data-key]', { hasText: text }).first()

async function show(path) {
  opened = await open(browser, server, path)
  await opened.page.waitForSelector('[data-fresh=live]')
  return opened.page
}

const ask = (query) => server.json(`/api/v1/query?query=${encodeURIComponent(query)}`)

test('a query is typed with completion, run, drawn, listed, and in the address', async () => {
  const page = await show('/explore')
  await editor(page).click()
  await page.keyboard.type('sum by (mode) (rate(cpu_secon')
  await page.getByRole('option', { name: /^cpu_seconds_total/ }).waitFor()
  await page.keyboard.press('Tab')
  assert.equal(await editor(page).inputValue(), 'sum by (mode) (rate(cpu_seconds_total')
  await page.keyboard.type('{cp')
  await page.getByRole('option', { name: /^cpu/ }).waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.type('="')
  await page.getByRole('option', { name: /^0/ }).waitFor()
  await page.keyboard.press('Enter')
  await page.keyboard.type('"}[1m]))')
  await page.keyboard.press('Enter')
  await row(page, '{mode="user"}').waitFor()
  await page.waitForSelector('[data-chart=explore] canvas')
  assert.equal(search(page).get('q'), 'sum by (mode) (rate(cpu_seconds_total{cpu="0"}[1m]))')
  const { data } = await ask(search(page).get('q'))
  assert.equal(await page.locator('[role=row][data-key]').count(), data.result.length)
  await page.reload()
  await row(page, '{mode="user"}').waitFor()
})

test('an error is told where it is, and the next query clears it', async () => {
  const page = await show('/explore')
  await editor(page).fill('sum(rate(cpu_usage[5m])')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').waitFor()
  assert.match(await page.getByRole('alert').textContent(), /^1:\d+: parse error: unclosed left parenthesis/)
  assert.equal(await page.locator('pre .wrong').count(), 1)
  assert.equal(await editor(page).getAttribute('aria-invalid'), 'true')
  assert.ok(opened.complaints.every((complaint) => /400/.test(complaint)), opened.complaints.join('\n'))
  opened.complaints.length = 0
  await editor(page).fill('cpu_usage')
  await page.keyboard.press('Enter')
  await row(page, 'cpu_usage').waitFor()
  assert.equal(await page.getByRole('alert').count(), 0)
})

test('a table shows what the interface answers', async () => {
  const page = await show('/explore?view=table&q=count(%7B__name__%3D~%22disk_.%2B%22%7D)')
  await row(page, '{}').waitFor()
  const { data } = await ask('count({__name__=~"disk_.+"})')
  assert.ok((await row(page, '{}').textContent()).includes(data.result[0].value[1]))
})

test('several queries share one chart', async () => {
  const page = await show('/explore?q=process_count')
  await row(page, 'process_count').waitFor()
  await page.getByRole('button', { name: 'Add a query' }).click()
  await editor(page, 1).fill('thread_count')
  await page.keyboard.press('Enter')
  await row(page, 'B thread_count').waitFor()
  await row(page, 'A process_count').waitFor()
  assert.equal(search(page).get('q2'), 'thread_count')
  await page.getByRole('button', { name: 'Remove query A' }).click()
  await row(page, 'A process_count').waitFor({ state: 'detached' })
  assert.equal(search(page).get('q'), 'thread_count')
  assert.equal(search(page).get('q2'), null)
})

test('a counter path is a query, found by words', async () => {
  const page = await show('/explore')
  await page.getByRole('button', { name: 'Counter paths' }).click()
  await page.getByLabel('Search by words, unit, path').fill('context switches')
  await page.getByRole('button', { name: /\\System\\Context Switches\/sec/ }).click()
  assert.equal(search(page).get('q'), '\\System\\Context Switches/sec')
  await page.locator('[role=row][data-key]').first().waitFor()
  await page.waitForSelector('[data-chart=explore] canvas')
})

test('a metric is found by words of its help, and asked for in a sensible way', async () => {
  const page = await show('/explore')
  await page.getByLabel('Search by words, unit, path').fill('switches thread')
  await page.getByRole('button', { name: /^system_context_switches_total/ }).click()
  assert.equal(search(page).get('q'), 'rate(system_context_switches_total[1m])')
  await page.locator('[role=row][data-key]').first().waitFor()
})

test('what is shown can be taken along as CSV and as a picture', async () => {
  const page = await show('/explore?q=cpu_usage')
  await row(page, 'cpu_usage').waitFor()
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()])
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\r\n')
  assert.equal(lines[0], 'Time,cpu_usage')
  assert.ok(lines.some((line) => /^\d{4}-\d\d-\d\dT.*,\d/.test(line)), lines.slice(0, 4).join('\n'))
  const [picture] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'PNG' }).click()])
  assert.deepEqual((await readFile(await picture.path())).subarray(1, 4).toString(), 'PNG')
})

test('the overview lists the host with its state, and leads to it', async () => {
  const page = await show('/overview')
  const { host } = await server.json('/api/host')
  await row(page, host).waitFor()
  assert.match(await row(page, host).textContent(), /critical|warning|ok/)
  const { data } = await ask('max by (host) (memory_percent)')
  assert.ok(Number(data.result[0].value[1]) > 0)
  await page.locator('[data-filter]').fill('no such host')
  await page.getByText('No host fits.').waitFor()
  await page.locator('[data-filter]').fill(host.slice(0, 2))
  await row(page, host).getByRole('link').first().click()
  await settled(page)
  assert.equal(new URL(page.url()).pathname, '/')
})

test('the palette goes to pages, ranges, metrics and actions by the keyboard alone', async () => {
  const page = await show('/')
  await settled(page)
  const take = async (text) => {
    await page.keyboard.press('Control+k')
    await page.getByRole('option').first().waitFor()
    await page.keyboard.type(text)
    await page.keyboard.press('Enter')
    await page.locator('dialog').waitFor({ state: 'detached' })
  }
  await take('invent')
  assert.equal(new URL(page.url()).pathname, '/inventory')
  await take('theme dark')
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark')
  await take('theme system')
  await take('process_count')
  assert.equal(search(page).get('q'), 'process_count')
  await take('90m')
  assert.equal(search(page).get('from'), 'now-90m')
})

/** By the Tab key alone, to what has this name. */
async function tabTo(page, name) {
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab')
    if ((await page.evaluate(() => document.activeElement?.textContent?.trim())) === name) return
  }
  assert.fail(`${name} is not reached by the Tab key`)
}

test('a query becomes a rule, with the keyboard alone', async () => {
  const page = await show('/explore?q=max%20by%20(host)%20(cpu_usage)')
  await page.waitForSelector('[data-chart=explore] canvas')
  await editor(page).focus()
  await tabTo(page, 'Make a rule of this')
  await page.keyboard.press('Enter')
  await page.locator('[data-backtest=done]').waitFor()
  assert.equal(search(page).get('kind'), 'rules')
  const text = page.getByRole('textbox', { name: /^Text of/ })
  assert.match(await text.inputValue(), /metric: "max by \(host\) \(cpu_usage\)"\n {8}greater_than: [\d.]+\n/)
  await page.locator('[data-field="groups.0.rules.0.metric"]').waitFor()
  await page.getByLabel('Name', { exact: true }).fill('from-explore')
  await page.getByText('No mistakes.').waitFor()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.waitForFunction(() => new URL(location.href).searchParams.get('name') === 'from-explore')
  assert.match((await server.json('/api/documents/rules/from-explore')).text, /alert: Mine\n/)
})

test('queries become a panel of a new dashboard, and of one that is there', async () => {
  const page = await show('/explore?q=cpu_usage&q2=memory_percent')
  await page.waitForSelector('[data-chart=explore] canvas')
  await editor(page).focus()
  await tabTo(page, 'Add to a dashboard')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Add to a dashboard' })
  await dialog.getByLabel('Its name').fill('kept')
  await dialog.getByLabel('Title of the panel').fill('Both')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Both' }).waitFor()
  assert.equal(search(page).get('name'), 'kept')
  // That there was none is a question that the browser reports.
  opened.complaints.splice(0, Infinity, ...opened.complaints.filter((each) => !each.includes('404')))
  await page.goto(`${server.url}/explore?q=process_count&view=table`)
  await row(page, 'process_count').waitFor()
  await page.getByRole('button', { name: 'Add to a dashboard' }).click()
  await dialog.locator('select:enabled').waitFor()
  assert.equal(await dialog.getByLabel('Dashboard', { exact: true }).inputValue(), 'kept')
  await dialog.getByRole('button', { name: 'Add', exact: true }).click()
  await page.getByRole('heading', { name: 'process_count' }).waitFor()
  const { panels } = await server.json('/api/dashboards/kept')
  assert.deepEqual(panels.map(({ type, queries }) => [type, queries]), [['chart', ['cpu_usage', 'memory_percent']], ['table', ['process_count']]])
})
