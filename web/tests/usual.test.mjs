// What is drawn behind the lines: what is usual at this hour of the week, and when alerts fired.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { binary, pause, Server, settled, stage } from './harness.mjs'

const RULES = 'groups:\n  - name: usual\n    interval: 1s\n    rules:\n      - alert: AlwaysOn\n        expr: cpu_usage >= 0\n        labels: {severity: critical}\n'
const HOUR_MS = 3_600_000
const WEEK_MS = 168 * HOUR_MS
let folder

/** Three weeks of the hours around now: the processor was between 40 and 60 %. */
async function past(server) {
  const { host } = await server.json('/api/host')
  const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS
  const lines = ['# TYPE cpu_usage gauge']
  for (let week = 3; week > 0; week--) {
    for (let ms = now - week * WEEK_MS - HOUR_MS; ms < now - week * WEEK_MS + 2 * HOUR_MS; ms += 60_000) {
      lines.push(`cpu_usage{host="${host}"} ${40 + (Math.floor(ms / 300_000) % 3) * 10} ${ms / 1000 + 30}`)
    }
  }
  const file = join(folder, 'past.txt')
  await writeFile(file, `${lines.join('\n')}\n# EOF\n`)
  await promisify(execFile)(binary(), ['store', 'import', file, '--data', server.data])
}

const it = stage(async () => {
  folder = await mkdtemp(join(tmpdir(), 'barograph-usual-'))
  await writeFile(join(folder, 'rules.yaml'), RULES)
  const server = await Server.create({ config: `[rules]\nfiles = [${JSON.stringify(join(folder, 'rules.yaml'))}]\n` })
  await past(server)
  await server.stop()
  await server.start()
  return server
})

after(async () => {
  if (folder) await rm(folder, { recursive: true, force: true })
})

async function show(path) {
  const page = await it.show(path)
  await settled(page)
  return page
}

test('a chart shows what is usual at this hour of the week, until it is told not to', async () => {
  const page = await show('/?from=now-15m')
  const band = page.locator('[data-chart=cpu] .usual')
  await band.getByText('usual 40.0–60.0 %').waitFor()
  await page.locator('#cpu-summary').getByText('usually between 40.0 and 60.0 %').waitFor({ state: 'attached' })
  const painted = () => page.$eval('[data-chart=cpu] canvas', (canvas) => {
    // A copy: reading the chart itself again and again would be complained about.
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d')
    copy.drawImage(canvas, 0, 0)
    return copy.getImageData(0, 0, canvas.width, canvas.height).data.filter((value, i) => i % 4 === 3 && value > 0).length
  })
  const withBand = await painted()
  assert.equal(await page.locator('[data-chart=load] .usual').count(), 0, 'of the load nothing is known')
  await page.keyboard.press('u')
  await band.waitFor({ state: 'detached' })
  await pause(1500)
  assert.ok((await painted()) < withBand * 0.9, 'no band was drawn')
  await page.reload()
  await settled(page)
  assert.equal(await band.count(), 0, 'it was not remembered')
  await page.locator('[data-range]').click()
  await page.getByRole('group', { name: 'What is usual' }).getByRole('button', { name: 'shown' }).click()
  await band.waitFor()
})

test('an alert is a region on the charts of its metric, with the way to its incident', async () => {
  const page = await show('/?from=now-5m')
  const link = page.locator('[data-chart=cpu]').getByRole('list', { name: 'Alerts on CPU' }).getByRole('link')
  await link.waitFor({ timeout: 20_000 })
  assert.equal(await page.getByRole('list', { name: 'Alerts on Memory' }).count(), 0, 'the alert is about the processor')
  const words = await link.textContent()
  assert.match(words, /^critical: AlwaysOn, since .*, incident \d+$/)
  await link.hover()
  await page.waitForFunction(() => getComputedStyle(document.querySelector('[data-chart=cpu] li span')).opacity === '1')
  const { incidents } = await it.server.json('/api/incidents?open=true')
  await link.click()
  await page.getByRole('heading', { name: 'AlwaysOn' }).waitFor()
  assert.equal(new URL(page.url()).searchParams.get('row'), String(incidents[0].number))
  const refused = await fetch(`${it.server.url}/api/incidents?from=soon`)
  assert.equal(refused.status, 400)
  const before = await it.server.json(`/api/incidents?to=${incidents[0].opened_ms - 1}`)
  assert.deepEqual(before.incidents, [], 'it was not open then')
})
