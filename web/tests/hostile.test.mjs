// A host that means harm, or merely names things oddly, changes nothing but text; and a server that goes in mid-session takes nothing with it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmod, copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { launch, open, pause, Server, settled } from './harness.mjs'

const NAMES = [
  '<img src=x onerror=globalThis.hurt=1>',
  '<script>globalThis.hurt=1',
  `"quotes' & {braces} \`ticks\` \${x}`,
  'שלום \u202Egnp.exe',
  '😀 emoji\ttab',
  'x'.repeat(200),
]
const HOST = '<b>host</b> "q" \u202Eesrever ' + 'y'.repeat(60)

let server
let browser
let folder
let opened
const children = []

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barograph-hostile-'))
  for (const name of NAMES) {
    const path = join(folder, name)
    await copyFile('/bin/sh', path)
    await chmod(path, 0o755)
    children.push(spawn(path, ['-c', 'while :; do sleep 30; done', '</td><script>globalThis.hurt=1</script>', '"><img src=x onerror=globalThis.hurt=1>'], { stdio: 'ignore' }))
  }
  server = await Server.create({ config: `host = ${JSON.stringify(HOST)}\n` })
  browser = await launch()
  await pause(13_000)
})

after(async () => {
  for (const child of children) child.kill()
  await browser?.close()
  await server?.remove()
  await rm(folder, { recursive: true, force: true })
})

afterEach(async () => {
  if (opened === undefined) return
  assert.equal(await opened.page.evaluate(() => globalThis.hurt), undefined, 'a name was run as a script')
  assert.equal(await opened.page.locator('main img, main script').count(), 0, 'a name became an element')
  const wide = await opened.page.evaluate(() => [document.documentElement, document.querySelector('main')].map((each) => each.scrollWidth - each.clientWidth))
  assert.deepEqual(wide, [0, 0], 'a name made the page wider')
  assert.deepEqual(opened.complaints, [], 'the page complained')
  await opened.page.close()
  opened = undefined
})

async function show(path, size) {
  opened = await open(browser, server, path, size)
  await opened.page.waitForSelector('[data-fresh=live]')
  return opened.page
}

const row = (page) => page.locator('[role=row][data-key]').first()

for (const [i, name] of NAMES.entries()) {
  test(`a process called ${JSON.stringify(name.slice(0, 40))} is text in the table and in the detail`, async () => {
    const page = await show('/processes', i % 2 === 0 ? {} : { width: 390, height: 844, theme: 'light' })
    const { pid } = children[i]
    await page.locator('[data-filter]').fill(String(pid))
    await page.locator(`[role=row][data-key^="${pid}-"]`).click()
    const told = await page.locator('[data-detail]').textContent()
    assert.ok(told.includes(name.slice(0, 60)), told.slice(0, 300))
    assert.ok(told.includes('</td><script>globalThis.hurt=1</script>'))
    await page.keyboard.press('Escape')
    await page.getByLabel('Show').selectOption('tree')
    await row(page).waitFor()
  })
}

test('a host with an odd name is text wherever it stands', async () => {
  const page = await show('/')
  await settled(page)
  assert.equal(await page.locator('h1').textContent(), HOST)
  assert.ok((await page.title()).includes('<b>host</b>'))
  await page.goto(`${server.url}/overview`)
  await row(page).waitFor()
  assert.ok((await row(page).textContent()).includes('<b>host</b>'))
})

/** What people or programs may write into documents, where a page shows it. */
const MISCHIEF = '"><img src=x onerror=globalThis.hurt=1> \u202Egnp.exe ' + 'w'.repeat(120)
const DOCUMENTS = {
  rules: `groups:\n  - name: ${JSON.stringify(MISCHIEF)}\n    interval: 1s\n    rules:\n      - alert: ${JSON.stringify(MISCHIEF)}\n        expr: cpu_usage >= 0\n        labels: {severity: critical, team: ${JSON.stringify(MISCHIEF)}}\n        annotations: {summary: ${JSON.stringify(MISCHIEF)}, description: ${JSON.stringify(MISCHIEF)}, runbook_url: 'javascript:globalThis.hurt=1'}\n`,
  dashboards: `title: ${JSON.stringify(MISCHIEF)}\npanels:\n${['chart', 'number', 'table', 'status'].map((type) => `- {type: ${type}, title: ${JSON.stringify(MISCHIEF)}, queries: [cpu_usage], critical: 1}\n`).join('')}- {type: text, title: t, text: ${JSON.stringify(MISCHIEF)}}\n`,
}

test('alerts, rules, dashboards and documents that mean harm are text', async () => {
  for (const [kind, body] of Object.entries(DOCUMENTS)) {
    const answer = await fetch(`${server.url}/api/documents/${kind}/odd`, { method: 'PUT', body })
    assert.ok(answer.ok, await answer.text())
  }
  for (let i = 0; i < 200 && (await server.json('/api/incidents')).incidents.length === 0; i++) await pause(100)
  const [{ number }] = (await server.json('/api/incidents')).incidents
  await fetch(`${server.url}/api/incidents/${number}/comment`, { method: 'POST', body: JSON.stringify({ by: MISCHIEF, text: MISCHIEF }) })
  const page = await show(`/alerts?row=${number}`)
  const fits = async () => assert.deepEqual(await page.evaluate(() => [document.documentElement, document.querySelector('main')].map((each) => each.scrollWidth - each.clientWidth)), [0, 0], page.url())
  const text = async (place) => {
    await page.waitForFunction(([where, wanted]) => document.querySelector(where)?.textContent?.includes(wanted), [place, '<img src=x onerror=globalThis.hurt=1>'])
    await fits()
  }
  await text('[data-detail]')
  await page.locator('[data-detail]').getByText('Busiest processes then').waitFor()
  assert.equal(await page.locator('a[href^="javascript:"]').count(), 0, 'a link runs a script')
  for (const [path, place] of [['/rules', 'main'], ['/dashboards?name=odd', 'main'], ['/dashboards?name=odd', '[data-panel=text]'], ['/configuration?kind=rules', 'main'], ['/?from=now-1m', '[data-chart=cpu] .stage']]) {
    await page.goto(server.url + path)
    if (path.startsWith('/configuration')) await page.waitForFunction(() => [...document.querySelectorAll('main textarea')].some(({ value }) => value.includes('onerror')) || document.querySelector('main')?.textContent?.includes('odd'))
    else await text(place)
    await fits()
  }
  await page.setViewportSize({ width: 390, height: 844 })
  for (const path of [`/alerts?row=${number}`, '/rules', '/dashboards?name=odd', '/configuration?kind=dashboards&name=odd']) {
    await page.goto(server.url + path)
    await page.waitForSelector('[data-fresh=live]')
    await pause(800)
    await fits()
  }
})

test('a link full of mischief opens a page, and what it brings is text', async () => {
  const text = '"><img src=nowhere onerror=globalThis.hurt=1>'
  const mischief = encodeURIComponent(text)
  const page = await show(`/processes?q=${mischief}&sort=${mischief}&dir=${mischief}&row=${mischief}&view=${mischief}&from=${mischief}&pin=${mischief}&cmp=${mischief}&${mischief}=1`)
  await page.getByText('No process fits the filter.').waitFor()
  assert.equal(await page.locator('[data-filter]').inputValue(), text)
  await page.goto(`${server.url}/explore?q=${mischief}`)
  await page.getByRole('alert').waitFor()
  assert.ok(opened.complaints.every((complaint) => /400/.test(complaint)), opened.complaints.join('\n'))
  opened.complaints.length = 0
})

test('events of oddly named processes are text', async () => {
  // Long enough for its whole command line to be read, by whichever way starts are noticed here.
  const end = spawn(join(folder, NAMES[0]), ['-c', 'sleep 3; exit 0'], { stdio: 'ignore' })
  await new Promise((done) => end.on('exit', done))
  const page = await show('/events?from=now-5m&q=onerror')
  await row(page).click()
  assert.ok((await page.locator('[data-detail]').textContent()).includes('<img src=x onerror'))
})

test('a server that restarts in mid-session is found again by every page, which goes on by itself', async () => {
  const pages = []
  for (const path of ['/processes?q=sleep', '/explore?q=process_count', '/overview', '/network', '/status']) {
    const one = await open(browser, server, path)
    await one.page.waitForSelector('[data-fresh=live]')
    await one.page.evaluate(() => (globalThis.sameDocument = true))
    pages.push(one.page)
  }
  await server.stop()
  for (const page of pages) await page.locator('[data-strip=offline]').waitFor()
  await server.start()
  for (const page of pages) {
    await page.getByRole('button', { name: 'Retry now' }).click({ timeout: 3000 }).catch(() => undefined)
    await page.waitForSelector('[data-fresh=live]', { timeout: 40_000 })
    assert.equal(await page.locator('[data-strip]').count(), 0)
    assert.equal(await page.evaluate(() => globalThis.sameDocument), true, 'the page was reloaded')
    await page.locator('main').getByRole('alert').waitFor({ state: 'detached' })
  }
  const table = pages[0]
  const before = await table.locator('.told').textContent()
  assert.match(before, /found of \d+ processes/)
  for (const page of pages) await page.close()
})

test('everything on the processes page is done with the keyboard alone', async () => {
  const page = await show('/')
  await settled(page)
  await page.keyboard.press('g')
  await page.keyboard.press('p')
  await row(page).waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type(String(children[0].pid))
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'SELECT')
  await page.keyboard.press('Tab')
  assert.match(await page.evaluate(() => document.activeElement?.getAttribute('role') ?? ''), /grid/)
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.locator('[data-detail]').waitFor()
  await page.keyboard.press('Escape')
  await page.locator('[data-detail]').waitFor({ state: 'detached' })
  await page.keyboard.press('/')
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => document.querySelector('[data-filter]')?.value === '')
})
