import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, afterEach, before, test } from 'node:test'
import { launch, open, pause, plotBox, Server, settled } from './harness.mjs'

let server
let browser
let opened
let sleeper

before(async () => {
  server = await Server.create()
  browser = await launch()
  sleeper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'needle in the list'], { stdio: 'ignore' })
  // Two stored lists of processes, ten seconds apart.
  await pause(21_000)
})

after(async () => {
  sleeper?.kill()
  await browser?.close()
  await server?.remove()
})

afterEach(async () => {
  assert.deepEqual(opened?.complaints ?? [], [], 'the page complained')
  await opened?.page.close()
  opened = undefined
})

const search = (page) => new URL(page.url()).searchParams
const row = (page, text) => page.locator('[role=row][data-key]', { hasText: text })
const column = (page, name) => page.getByRole('columnheader', { name, exact: true })

async function show(path = '/processes', options) {
  opened = await open(browser, server, path, options)
  await opened.page.waitForSelector('[data-fresh=live]')
  await opened.page.locator('[role=row][data-key]').first().waitFor()
  return opened.page
}

/** The texts of one column, in the order of the rows. */
async function texts(page, name) {
  const index = (await page.getByRole('columnheader').allTextContents()).indexOf(name)
  assert.ok(index >= 0, `there is no column ${name}`)
  const rows = await page.$$eval('[role=row][data-key]', (all, at) => all.map((each) => [each.offsetTop, each.children[at].textContent.trim()]), index)
  return rows.sort(([a], [b]) => a - b).map(([, text]) => text)
}

test('all processes of the server are in the table', async () => {
  const page = await show()
  const { total } = await server.json('/api/processes')
  const rows = Number(await page.getByRole('grid').getAttribute('aria-rowcount')) - 1
  assert.ok(Math.abs(rows - total) <= Math.max(10, total / 5), `${rows} rows, ${total} processes`)
  await page.locator('[data-filter]').fill(String(sleeper.pid))
  await row(page, 'needle in the list').waitFor()
})

test('the largest come first, and a click on a title turns the order', async () => {
  const page = await show()
  await page.mouse.move(5, 5)
  await column(page, 'PID').getByRole('button').click()
  const pids = (await texts(page, 'PID')).map(Number)
  assert.deepEqual(pids, [...pids].sort((a, b) => a - b))
  assert.equal(await column(page, 'PID').getAttribute('aria-sort'), 'ascending')
  await column(page, 'PID').getByRole('button').click()
  const turned = (await texts(page, 'PID')).map(Number)
  assert.deepEqual(turned, [...turned].sort((a, b) => b - a))
  assert.equal(search(page).get('sort'), 'pid')
  assert.equal(search(page).get('dir'), 'desc')
  for (const name of ['CPU', 'Memory', 'Read', 'Written', 'I/O', 'Threads', 'Files', 'Age', 'User', 'Name', 'Command']) {
    await column(page, name).getByRole('button').click()
    assert.match(await column(page, name).getAttribute('aria-sort'), /descending|ascending/)
  }
})

test('a filter finds by name, command, user and number, and is in the address', async () => {
  const page = await show()
  await page.keyboard.press('/')
  await page.keyboard.type('NEEDLE list')
  await row(page, 'needle in the list').waitFor()
  assert.equal(await page.locator('[role=row][data-key]').count(), 1)
  assert.equal(search(page).get('q'), 'NEEDLE list')
  await page.reload()
  await row(page, 'needle in the list').waitFor()
  await page.locator('[data-filter]').fill('no process is called this')
  await page.getByText('No process fits the filter.').waitFor()
})

test('the tree shows a process under its parents, and groups add up', async () => {
  const page = await show('/processes?view=tree&q=needle')
  const child = row(page, 'needle in the list')
  await child.waitFor()
  assert.ok(Number(await child.getAttribute('aria-level')) > 1)
  const parent = page.locator(`[role=row][data-key^="${process.pid}-"]`)
  assert.equal(Number(await parent.getAttribute('aria-level')), Number(await child.getAttribute('aria-level')) - 1)
  await parent.getByRole('button', { name: 'Close' }).click()
  await child.waitFor({ state: 'detached' })

  await page.locator('[data-filter]').fill('')
  await page.getByLabel('Show').selectOption('user')
  await page.waitForFunction(() => document.querySelector('[role=treegrid] [role=row][aria-expanded=false]') !== null)
  const groups = await texts(page, 'Name')
  const shown = groups.reduce((sum, text) => sum + Number(/\((\d+)\)$/.exec(text)[1]), 0)
  const { total } = await server.json('/api/processes')
  assert.ok(Math.abs(shown - total) <= Math.max(10, total / 5), `groups hold ${shown} of ${total}`)
})

test('the detail tells command line, start, and parents, and follows the keyboard', async () => {
  const page = await show('/processes?q=needle')
  await row(page, 'needle in the list').click()
  const detail = page.locator('[data-detail]')
  await detail.getByText('needle in the list').waitFor()
  const one = (await server.json('/api/processes')).processes.find((each) => each.pid === sleeper.pid)
  assert.ok((await detail.textContent()).includes(one.path))
  assert.match(await detail.textContent(), /Started\d\d:\d\d:\d\d/)
  assert.ok((await detail.locator('ol').textContent()).includes(String(process.pid)), 'the parent is missing')
  assert.equal(search(page).get('row'), `${one.pid}-${one.started_ms}`)
  await page.reload()
  await detail.getByText('needle in the list').waitFor()
  await detail.locator('ol button', { hasText: new RegExp(`\\b${process.pid}$`) }).click()
  await detail.getByRole('heading', { name: `(${process.pid})` }).waitFor()
  await page.keyboard.press('Escape')
  await detail.waitFor({ state: 'detached' })

  await page.locator('[data-filter]').fill('')
  await page.getByRole('grid').focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await detail.waitFor()
  const first = await detail.getByRole('heading').first().textContent()
  await page.keyboard.press('ArrowDown')
  await page.waitForFunction((before) => document.querySelector('[data-detail] h2')?.textContent !== before, first)
})

test('a moment pinned on a chart shows the processes as they were stored then', async () => {
  const page = await show('/processes?from=now-1m')
  const box = await plotBox(page, 'cpu')
  await page.mouse.click(box.x + box.width * 0.9, box.y + 20)
  await page.locator('[data-moment]').waitFor()
  const pin = Date.parse(search(page).get('pin'))
  const stored = await server.json(`/api/processes?at=${pin}`)
  assert.ok(stored.time_ms <= pin)
  await page.mouse.move(5, 5)
  await page.waitForFunction((count) => document.querySelector('.told')?.textContent.startsWith(`${count} `), stored.processes.length)
  assert.deepEqual((await texts(page, 'PID')).map(Number).slice(0, 5).sort(), stored.processes.slice(0, 5).map((each) => each.pid).sort())
  const time = new Date(stored.time_ms).toTimeString().slice(0, 8)
  assert.match(await page.locator('[data-moment]').textContent(), new RegExp(`As of ${time}`))
  await page.getByRole('button', { name: 'Ten seconds earlier' }).click()
  assert.equal(Date.parse(search(page).get('pin')), pin - 10_000)
  await page.getByRole('button', { name: 'Back to now' }).click()
  assert.equal(search(page).get('pin'), null)
})

test('before anything was stored the page says so', async () => {
  opened = await open(browser, server, '/processes?pin=2020-01-01T00:00:00Z')
  await opened.page.getByText('No processes were stored then').waitFor()
  opened.complaints.length = 0
})

test('the host page shows the processes beside the charts, now and at a pinned moment', async () => {
  const page = await show('/?from=now-1m').catch(() => opened.page)
  await settled(page)
  const panel = page.locator('[data-panel]')
  await panel.getByRole('heading', { name: 'Now' }).waitFor()
  const box = await plotBox(page, 'memory')
  await page.mouse.click(box.x + box.width * 0.85, box.y + 20)
  await panel.getByText('pinned').waitFor()
  const pin = search(page).get('pin')
  const stored = await server.json(`/api/processes?at=${Date.parse(pin)}&sort=memory`)
  await panel.getByRole('button', { name: 'Memory' }).click()
  await panel.locator('li', { hasText: stored.processes[0].name }).first().waitFor()
  await panel.getByRole('link', { name: /Open the process table at/ }).click()
  assert.equal(new URL(page.url()).pathname, '/processes')
  assert.equal(search(page).get('pin'), pin)
  assert.equal(search(page).get('sort'), 'memory')
})

test('a long list stays a short document', async () => {
  const children = Array.from({ length: 400 }, () => spawn('sleep', ['60'], { stdio: 'ignore' }))
  try {
    const page = await show()
    await page.waitForFunction(() => Number(document.querySelector('[role=grid]')?.getAttribute('aria-rowcount')) > 450, undefined, { timeout: 20_000 })
    const grid = page.getByRole('grid')
    assert.ok((await page.locator('[role=row]').count()) < 80, 'rows out of sight are in the document')
    await grid.focus()
    await page.keyboard.press('End')
    const last = Number(await grid.getAttribute('aria-rowcount'))
    await page.waitForFunction((index) => [...document.querySelectorAll('[role=row]')].some((each) => Number(each.getAttribute('aria-rowindex')) >= index - 5), last)
    await page.keyboard.press('Home')
    await page.locator('[aria-rowindex="2"]').waitFor()
  } finally {
    for (const child of children) child.kill()
  }
})
