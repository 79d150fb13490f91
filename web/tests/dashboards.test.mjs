// Dashboards: begun, edited in place, brought along from Grafana, and drawn from real data.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stage } from './harness.mjs'


const on = stage()
const { show } = on

async function addPanel(page, { title, type, queries, critical }) {
  await page.getByRole('button', { name: 'Add a panel' }).click()
  const dialog = page.getByRole('dialog', { name: 'Panel' })
  await dialog.getByLabel('Title').fill(title)
  await dialog.getByLabel('Shows').selectOption(type)
  if (type === 'text') await dialog.getByLabel('Text').fill(queries)
  else await dialog.getByLabel(/^Queries/).fill(queries)
  if (critical !== undefined) await dialog.getByLabel('Critical from').fill(String(critical))
  await dialog.getByRole('button', { name: 'Apply' }).click()
  await dialog.waitFor({ state: 'detached' })
}

test('a dashboard is begun, filled in place with each kind of panel, and saved', async () => {
  const page = await show('/dashboards')
  await page.getByText('No dashboards yet').waitFor()
  await page.getByRole('button', { name: 'New dashboard' }).click()
  await page.getByLabel('Name').fill('my machine')
  await page.getByRole('button', { name: 'Create' }).click()
  await page.getByText('No panels yet').waitFor()
  await page.getByRole('button', { name: 'Edit' }).click()
  await addPanel(page, { title: 'Processor', type: 'chart', queries: 'cpu_usage\nmemory_percent' })
  await addPanel(page, { title: 'Memory now', type: 'number', queries: 'memory_percent', critical: 0.01 })
  await addPanel(page, { title: 'Drives', type: 'table', queries: 'disk_percent{drive!=""}' })
  await addPanel(page, { title: 'States', type: 'status', queries: 'disk_percent{drive!=""}', critical: 101 })
  await addPanel(page, { title: 'Read me', type: 'text', queries: '<b>not bold</b>' })
  await page.locator('[data-panel=chart] .uplot').waitFor()
  await page.getByRole('button', { name: 'Make Processor wider' }).click()
  await page.getByRole('button', { name: 'Move Memory now earlier' }).click()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('button', { name: 'Edit' }).waitFor()
  const kept = await on.server.json('/api/dashboards/my%20machine')
  assert.deepEqual(kept.panels.map(({ title }) => title), ['Memory now', 'Processor', 'Drives', 'States', 'Read me'])
  assert.equal(kept.panels[1].width, 7)
  await page.locator('[data-panel=number] .critical b').waitFor()
  assert.match(await page.locator('[data-panel=number]').textContent(), /\d+(\.\d+)? %/)
  await page.locator('[data-panel=table] td', { hasText: 'drive=' }).first().waitFor()
  await page.locator('[data-panel=status] .mark.ok').first().waitFor()
  assert.match(await page.locator('[data-panel=text]').textContent(), /<b>not bold<\/b>/)
})

test('a panel that asks nonsense is refused with its place, and nothing typed is lost', async () => {
  const page = await show('/dashboards?name=my%20machine')
  await page.getByRole('button', { name: 'Edit' }).click()
  await addPanel(page, { title: 'Broken', type: 'chart', queries: 'sum(' })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('alert').filter({ hasText: 'panels[6].queries[1]' }).waitFor()
  await page.getByRole('button', { name: 'Remove Broken' }).click()
  await page.getByRole('button', { name: 'Discard changes' }).click()
  on.forgive()
})

test("a dashboard of Grafana is brought along, and what was not understood is told", async () => {
  const grafana = {
    title: 'From Grafana',
    panels: [
      { type: 'timeseries', title: 'Usage', gridPos: { w: 24, h: 8 }, targets: [{ expr: 'avg_over_time(cpu_usage[$__rate_interval])' }], fieldConfig: { defaults: { unit: 'percent' } } },
      { type: 'news', title: 'Blog' },
    ],
  }
  const page = await show('/dashboards')
  await page.getByRole('button', { name: 'Import from Grafana' }).click()
  await page.getByLabel(/^The JSON/).fill(JSON.stringify(grafana))
  await page.getByText('panel Blog: the type news is not known here').waitFor()
  await page.getByRole('button', { name: 'Import', exact: true }).click()
  await page.getByRole('heading', { name: 'From Grafana' }).waitFor()
  await page.locator('[data-panel=chart] .uplot').waitFor()
  assert.equal(new URL(page.url()).searchParams.get('name'), 'From Grafana')
})
