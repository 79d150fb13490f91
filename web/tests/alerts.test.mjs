// Alerts from a rule that fires at once: what people see and do, to what the server keeps.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pause, Server, settled, shoot, stage } from './harness.mjs'

const RULES = `
groups:
  - name: browser
    interval: 1s
    rules:
      - alert: AlwaysOn
        expr: memory_percent > 0.01
        labels: {severity: critical}
        annotations: {summary: 'Memory of {{ $labels.host }} <b>is</b> in use', runbook_url: 'javascript:alert(1)'}
      - alert: TakesLong
        expr: cpu_usage >= 0
        for: 1h
        labels: {severity: warning}
      - record: host:memory:half
        expr: memory_percent / 2
`
let folder

const on = stage(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barograph-rules-'))
  await writeFile(join(folder, 'rules.yaml'), RULES)
  return Server.create({ config: `[rules]\nfiles = [${JSON.stringify(join(folder, 'rules.yaml'))}]\n` })
})
const { show } = on

after(async () => {
  if (folder) await rm(folder, { recursive: true, force: true })
})

async function incident() {
  for (let i = 0; i < 300; i++) {
    const { incidents } = await on.server.json('/api/incidents?open=true')
    const found = incidents.find((each) => each.group.alertname === 'AlwaysOn')
    if (found) return found
    await pause(100)
  }
  throw new Error('no incident was opened')
}

const row = (page, text) => page.locator('[role=row][data-key]', { hasText: text }).first()
const detail = (page) => page.locator('[data-detail]')

test('the overview puts a host with a critical alert among the critical ones, says why, and leads to its alerts', async () => {
  await incident()
  const page = await show('/overview?state=critical')
  const { host } = await on.server.json('/api/host')
  const of = row(page, host)
  await of.getByRole('link', { name: '1', exact: true }).waitFor()
  assert.match(await of.locator('.state').getAttribute('title'), /Memory of .* <b>is<\/b> in use/)
  await of.getByRole('link', { name: '1', exact: true }).click()
  await row(page, 'AlwaysOn').waitFor()
})

test('an incident is listed, counted in the sidebar and the title, and told in detail', async () => {
  const page = await show('/alerts')
  await row(page, 'AlwaysOn').waitFor()
  assert.match(await row(page, 'AlwaysOn').textContent(), /critical.*<b>is<\/b>/)
  await page.locator('nav .badge').waitFor()
  await page.waitForFunction(() => /^\(\d+\) /.test(document.title))
  await row(page, 'AlwaysOn').click()
  await detail(page).locator('[data-alert-chart] .uplot').waitFor()
  assert.match(await detail(page).textContent(), /Fires: /)
  await page.getByText('Nobody is told of alerts.').waitFor()
  await detail(page).getByText('Busiest processes then').waitFor({ timeout: 30_000 })
  assert.equal(await detail(page).getByRole('link', { name: 'Runbook' }).count(), 0, 'a script is no runbook')
  assert.ok(new URL(page.url()).searchParams.get('row'))
})

test('acknowledging, commenting and taking back are kept by the server', async () => {
  const { number } = await incident()
  const page = await show(`/alerts?row=${number}`)
  await detail(page).getByRole('button', { name: 'Acknowledge' }).click()
  await page.getByLabel('Your name').fill('Anna')
  await page.getByLabel('What is being done').fill('looking at it')
  await page.getByLabel('For', { exact: true }).selectOption('3600')
  await detail(page).getByRole('button', { name: 'Save' }).click()
  await detail(page).getByText('acknowledged', { exact: true }).first().waitFor()
  let kept = await on.server.json(`/api/incidents/${number}`)
  assert.equal(kept.acknowledged.by, 'Anna')
  assert.equal(kept.acknowledged.note, 'looking at it')
  assert.equal(Math.round((kept.acknowledged.until_ms - kept.acknowledged.at_ms) / 1000), 3600)
  await page.waitForFunction(() => document.querySelector('nav .badge') === null, undefined, { timeout: 15_000 })

  await detail(page).getByRole('button', { name: 'Comment' }).click()
  assert.equal(await page.getByLabel('Your name').inputValue(), 'Anna', 'the name is remembered')
  await page.locator('[data-detail] textarea').fill('<img src=x onerror=alert(1)>')
  await detail(page).getByRole('button', { name: 'Save' }).click()
  await detail(page).getByText('<img src=x onerror=alert(1)>').waitFor()

  await detail(page).getByRole('button', { name: 'Take back' }).click()
  await detail(page).getByRole('button', { name: 'Take back' }).waitFor({ state: 'detached' })
  kept = await on.server.json(`/api/incidents/${number}`)
  assert.equal(kept.acknowledged, null)
})

test('what the server refuses is said beside the form', async () => {
  const { number } = await incident()
  const page = await show(`/alerts?row=${number}`)
  await detail(page).getByRole('button', { name: 'Comment' }).click()
  await page.locator('[data-detail] textarea').fill('   ')
  await detail(page).getByRole('button', { name: 'Save' }).click()
  await detail(page).getByRole('alert').waitFor()
  on.forgive()
})

test('a silence hides the incident, and nobody is asked to deal with it', async () => {
  const { number } = await incident()
  const page = await show(`/alerts?row=${number}`)
  await detail(page).getByRole('button', { name: 'Silence' }).click()
  await page.getByLabel('Your name').fill('Anna')
  await detail(page).getByText(/\d+ of \d+ active alerts now/).waitFor()
  await page.locator('[data-detail] textarea').fill('known: "it is a test"')
  await page.getByLabel('Ends when the alert does').uncheck()
  await detail(page).getByRole('button', { name: 'Save' }).click()
  await detail(page).getByText('muted', { exact: true }).first().waitFor()
  const { documents } = await on.server.json('/api/documents/silences')
  assert.equal(documents.length, 1)
  await fetch(`${on.server.url}/api/documents/silences/${encodeURIComponent(documents[0].name)}`, { method: 'DELETE' })
  await detail(page).getByText('critical', { exact: true }).first().waitFor()
})

test('the filter by state and words is in the address', async () => {
  const page = await show('/alerts?which=resolved')
  await page.getByText('No incident fits.').waitFor()
  await page.getByRole('button', { name: /^Firing/ }).click()
  await row(page, 'AlwaysOn').waitFor()
  assert.equal(new URL(page.url()).searchParams.get('which'), 'firing')
  await page.locator('[data-filter]').fill('nothing like it')
  await page.getByText('No incident fits.').waitFor()
})

test('an incident that was resolved too early is opened again, and by it what fires still', async () => {
  const { number } = await incident()
  const page = await show('/alerts')
  await row(page, 'AlwaysOn').click()
  await detail(page).locator('[data-act=resolve]').click()
  await detail(page).getByText(/closed although its alerts still fire/).waitFor()
  await detail(page).getByRole('button', { name: 'Save' }).click()
  await row(page, 'AlwaysOn').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: /^Resolved/ }).click()
  await row(page, 'AlwaysOn').waitFor()
  await shoot(page, 'incident-resolved')
  await detail(page).getByRole('button', { name: 'Open again' }).click()
  await row(page, 'AlwaysOn').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: /^Firing/ }).click()
  await row(page, 'AlwaysOn').waitFor()
  await detail(page).getByText('Opened again').waitFor()
  const now = await on.server.json(`/api/incidents/${number}`)
  assert.equal(now.resolved_ms, null)
})

test('rules are listed with their state, and lead to their query', async () => {
  const page = await show('/rules')
  await row(page, 'AlwaysOn').waitFor()
  assert.equal(await page.locator('[role=row][data-key]').first().getAttribute('data-key').then((key) => key.includes('browser')), true, 'what fires comes first')
  assert.match(await row(page, 'TakesLong').textContent(), /pending/)
  assert.match(await row(page, 'host:memory:half').textContent(), /records/)
  await row(page, 'TakesLong').click()
  await detail(page).getByRole('link', { name: 'Ask this query in Explore' }).click()
  assert.equal(new URL(page.url()).searchParams.get('q'), 'cpu_usage >= 0')
})

test('limits of rules stand on the charts of their metric', async () => {
  const page = await show('/')
  await settled(page)
  // The rules that ship: 80 and 95 % of the processors.
  const texts = await page.evaluate(async () => {
    const seen = []
    const original = CanvasRenderingContext2D.prototype.fillText
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
      seen.push(text)
      return original.call(this, text, ...rest)
    }
    await new Promise((done) => setTimeout(done, 8000))
    CanvasRenderingContext2D.prototype.fillText = original
    return seen
  })
  assert.ok(texts.some((text) => /^alert at 95/.test(text)), `drawn were ${[...new Set(texts)].join(' | ')}`)
})
