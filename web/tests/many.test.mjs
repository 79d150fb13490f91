// More of everything than fits on a screen: hosts, instances of one chart, panels, processes.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, afterEach, before, test } from 'node:test'
import { launch, legend, open, pause, Server, settled } from './harness.mjs'
import { remoteWrite } from './remote-write.mjs'

const HOSTS = 500
const PROGRAMS = 300
const PROCESSES = 500
let server
let browser
let opened
let own
let sending
let sent
const children = []

const now = (labels, value) => ({ labels, samples: [[Date.now(), value]] })

before(async () => {
  server = await Server.create()
  browser = await launch()
  const { host } = await server.json('/api/host')
  own = host
  const others = () => Array.from({ length: HOSTS }, (_, i) => `web-${String(i).padStart(3, '0')}`).flatMap((name, i) => [
    now({ __name__: 'cpu_usage', host: name }, i === 321 ? 97 : 20),
    now({ __name__: 'memory_percent', host: name }, 40),
    // All of these together would be hundreds of processors.
    now({ __name__: 'cpu_seconds_total', host: name, cpu: '0', mode: 'user' }, Date.now() / 1000),
  ])
  const programs = () => Array.from({ length: PROGRAMS }, (_, i) => now({ __name__: 'process_group_working_set_bytes', host, name: `job.${i}` }, (i + 1) * 1_048_576))
  const send = () => remoteWrite(server.url, [...others(), ...programs()])
  await send()
  sending = setInterval(() => (sent = send()), 5000)
})

after(async () => {
  clearInterval(sending)
  // What is on its way arrives before the server goes.
  await sent
  await browser?.close()
  await server?.remove()
  for (const child of children) child.kill()
})

afterEach(async () => {
  assert.deepEqual(opened?.complaints ?? [], [], 'the page complained')
  await opened?.page.close()
  opened = undefined
})

async function show(path) {
  opened = await open(browser, server, path)
  return opened.page
}

const rows = (page) => page.locator('[role=row][data-key]')

test('500 hosts are counted, sorted by what needs somebody, filtered, and only those on the screen are in the document', async () => {
  const page = await show('/overview')
  await page.getByText('501 hosts').waitFor()
  await page.locator('.counts').getByRole('button', { name: 'critical' }).click()
  await rows(page).filter({ hasText: 'web-321' }).waitFor()
  await page.locator('.counts').getByRole('button', { name: 'critical' }).click()
  const grid = page.getByRole('grid')
  assert.equal(await grid.getAttribute('aria-rowcount'), String(HOSTS + 2))
  assert.ok((await rows(page).count()) < 80, `${await rows(page).count()} rows in the document`)
  await grid.evaluate((element) => (element.scrollTop = element.scrollHeight))
  await page.waitForFunction(() => [...document.querySelectorAll('[role=row][data-key]')].at(-1)?.getAttribute('aria-rowindex') === '502')
  assert.ok((await rows(page).count()) < 80)
  await page.locator('[data-filter]').fill('web-12')
  await page.waitForFunction(() => document.querySelectorAll('[role=row][data-key]').length === 10)
})

test('charts show this host, whatever others send under the same names', async () => {
  const page = await show('/?from=now-1m')
  await settled(page)
  const { cpu_count: cpus } = await server.json('/api/host')
  await pause(1500)
  const highest = await page.evaluate(() => document.querySelector('#cpu-summary').textContent)
  const found = [...highest.matchAll(/highest (\d+(?:\.\d+)?) %/g)].map(([, value]) => Number(value))
  assert.ok(found.length > 0 && found.every((value) => value <= 100), `${highest} with ${cpus} processors`)
  await page.locator('[data-chart=cpu] .about').getByText(`${cpus} CPUs`).waitFor()
})

test('of 300 instances the highest are shown, and others are found by name', async () => {
  const page = await show('/?from=now-15m')
  await settled(page)
  const chart = page.locator('[data-chart=watched-memory]')
  await chart.scrollIntoViewIfNeeded()
  await chart.getByText('7 of 300 shown').waitFor()
  await page.getByText('next 93').waitFor()
  const before = await legend(page, 'watched-memory')
  assert.ok('job.293' in before && !('job.7' in before), Object.keys(before).join())
  await chart.locator('.find').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox').fill('JOB.7')
  await dialog.getByRole('checkbox', { name: 'job.7', exact: true }).check()
  await dialog.getByText('1 of at most 7 chosen').waitFor()
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => [...document.querySelectorAll('[data-chart=watched-memory] .label')].some((label) => label.textContent === 'job.7'))
  assert.equal(new URL(page.url()).searchParams.get('show.watched-memory'), 'job.7')
  await page.reload()
  await settled(page)
  await page.locator('[data-chart=watched-memory]').scrollIntoViewIfNeeded()
  await page.waitForFunction(() => [...document.querySelectorAll('[data-chart=watched-memory] .label')].some((label) => label.textContent === 'job.7'))
})

test('200 charts on two dashboards are drawn, to the last', async () => {
  const panel = (i) => `- {type: chart, title: Panel ${i}, queries: ['cpu_usage{host="${own}"} + ${i}'], width: 3, height: 1}\n`
  for (const [name, from] of [['first', 0], ['second', 100]]) {
    const text = `title: ${name}\npanels:\n${Array.from({ length: 100 }, (_, i) => panel(from + i)).join('')}`
    const answer = await fetch(`${server.url}/api/documents/dashboards/${name}`, { method: 'PUT', body: text })
    assert.equal(answer.ok, true, await answer.text())
  }
  for (const name of ['first', 'second']) {
    const page = await show(`/dashboards?name=${name}`)
    await page.locator('[data-panel=chart] .uplot').first().waitFor()
    const drawn = await page.locator('[data-panel=chart] .uplot').count()
    assert.ok(drawn < 60, `${drawn} of 100 panels are drawn, on a screen that shows some thirty`)
    await page.getByText(`Panel ${name === 'first' ? 99 : 199}`, { exact: true }).scrollIntoViewIfNeeded()
    await page.waitForFunction(() => [...document.querySelectorAll('[data-panel=chart]')].at(-1)?.querySelector('.uplot') !== null)
    assert.deepEqual(opened.complaints, [])
    await page.close()
  }
})

test('series of 500 hosts are told apart on a dashboard and in Explore', async () => {
  const body = "title: All\npanels:\n- {type: table, queries: ['cpu_usage{host=~\"web-1.*\"}']}\n- {type: chart, queries: [cpu_usage]}\n"
  const answer = await fetch(`${server.url}/api/documents/dashboards/all`, { method: 'PUT', body })
  assert.equal(answer.ok, true, await answer.text())
  const page = await show('/dashboards?name=all')
  await page.getByRole('cell', { name: 'cpu_usage{host="web-100"}' }).waitFor()
  assert.equal(await page.locator('[data-panel=table] tbody tr').count(), 100)
  await page.locator('[data-panel=chart] .uplot').waitFor()
  await page.goto(`${server.url}/explore?view=table&q=${encodeURIComponent('cpu_usage{host=~"web-10."}')}`)
  await rows(page).filter({ hasText: 'host="web-109"' }).waitFor()
})

test('500 processes are a table that is drawn in part and keeps its order', async () => {
  // Told apart by a word: a bare number is found in the numbers of processes, too.
  for (let i = 0; i < PROCESSES; i++) children.push(spawn('/bin/sleep', ['1000'], { argv0: `sleep-${String(i).padStart(3, '0')}`, stdio: 'ignore' }))
  const page = await show('/processes?sort=name&dir=asc&q=sleep')
  const grid = page.getByRole('grid')
  await page.waitForFunction((least) => Number(document.querySelector('[role=grid]')?.getAttribute('aria-rowcount')) > least, PROCESSES, { timeout: 30_000 })
  assert.ok((await rows(page).count()) < 80, `${await rows(page).count()} rows in the document`)
  await grid.evaluate((element) => (element.scrollTop = element.scrollHeight))
  await page.waitForFunction(() => Number([...document.querySelectorAll('[role=row][data-key]')].at(-1)?.getAttribute('aria-rowindex')) > 500)
  await page.locator('[data-filter]').fill('sleep-499')
  await page.waitForFunction(() => document.querySelectorAll('[role=row][data-key]').length === 1)
})
