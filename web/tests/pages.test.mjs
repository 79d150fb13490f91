// The pages beside charts and processes, on a machine with a systemd of its own where root may start one.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { launch, Machine, open, pause, plotBox, Server, settled, shoot } from './harness.mjs'

const ACTIONS = `actions:
  restart: {restart_service: '{name}', parameters: {name: {label: service, matches: 'barometer(\\.service)?'}}, approvals: 2, by_hand: true}
`

let folder
let machine
let server
let browser
let opened

before(async () => {
  machine = await Machine.start()
  folder = await mkdtemp(join(tmpdir(), 'barograph-actions-'))
  const actions = join(folder, 'actions.yml')
  await writeFile(actions, ACTIONS, { mode: 0o600 })
  server = await Server.create({ machine, config: `[actions]\nfile = ${JSON.stringify(actions)}\n` })
  browser = await launch()
  await pause(12_000)
})

after(async () => {
  await browser?.close()
  await server?.remove()
  await machine?.stop()
  await rm(folder, { recursive: true, force: true })
})

afterEach(async () => {
  assert.deepEqual(opened?.complaints ?? [], [], 'the page complained')
  await opened?.page.close()
  opened = undefined
})

const search = (page) => new URL(page.url()).searchParams
const row = (page, text) => page.locator('[role=row][data-key]', { hasText: text }).first()

async function show(path, options) {
  opened = await open(browser, server, path, options)
  await opened.page.waitForSelector('[data-fresh=live]')
  return opened.page
}

test('services are listed with what failed first, and told in detail', async (context) => {
  if (machine === null) return context.skip('only root can start a systemd of its own')
  const page = await show('/services')
  await row(page, 'barometer').waitFor()
  const { services, total, failed } = await server.json('/api/services')
  assert.ok(failed >= 1)
  const first = await page.locator('[role=row][data-key]').first().getAttribute('data-key')
  assert.equal(services.find((each) => each.name === first).state, 'failed', `${first} comes first`)
  assert.match(await page.locator('.told').textContent(), new RegExp(`${total} services.*${failed} failed`))
  assert.match(await page.getByRole('link', { name: /^Services/ }).textContent(), /\d failed/)
  await row(page, 'broken').click()
  const detail = page.locator('[data-detail]')
  assert.match(await detail.textContent(), /Exit code7/)
  await row(page, 'barometer').click()
  await detail.getByText('Measures the pressure of the air').waitFor()
  await page.getByLabel('Show').selectOption('failed')
  await row(page, 'barometer').waitFor({ state: 'detached' })
  await row(page, 'broken').waitFor()
})

test('a service is restarted from its page once two people want it', async (context) => {
  if (machine === null) return context.skip('only root can start a systemd of its own')
  const pid = async () => (await server.json('/api/services?all=true')).services.find((each) => each.name.startsWith('barometer')).pid
  const before = await pid()
  const page = await show('/services')
  await row(page, 'broken').click()
  const detail = page.locator('[data-detail]')
  await detail.getByText(/Exit code7/).waitFor()
  assert.equal(await detail.getByRole('heading', { name: 'Actions' }).count(), 0, 'the file names barometer only')
  await row(page, 'barometer').click()
  await detail.getByRole('button', { name: /^Restart the service barometer/ }).click()
  await detail.getByText('Somebody else has to approve it.').waitFor()
  await detail.getByLabel('Your name').fill('Anna')
  await detail.getByLabel('Why').fill('it hangs')
  await shoot(page, 'service-action')
  await detail.getByRole('button', { name: 'Do it' }).click()
  await detail.getByText('Waits for approval').waitFor()
  assert.equal(await detail.getByRole('button', { name: 'Approve' }).isDisabled(), true, 'not the same person')
  assert.equal(await pid(), before)
  await detail.getByLabel('Your name').fill('Ben')
  await shoot(page, 'service-approve')
  await detail.getByRole('button', { name: 'Approve' }).click()
  await detail.locator('.finished', { hasText: 'Done' }).waitFor()
  for (let i = 0; i < 100 && [before, null].includes(await pid()); i++) await pause(100)
  assert.ok(![before, null].includes(await pid()), 'it has another process')
})

test('a service that stops is an event, a mark on every chart, and counted', async (context) => {
  if (machine === null) return context.skip('only root can start a systemd of its own')
  await machine.systemctl('stop', 'barometer.service')
  for (let i = 0; i < 200; i++) {
    const { events } = await server.json('/api/events?kind=service_stopped')
    if (events.some((event) => event.subject.startsWith('barometer'))) break
    await pause(100)
  }
  const page = await show('/events?from=now-5m&kinds=services')
  await row(page, 'barometer').click()
  await page.locator('[data-detail]').getByText('service stopped').waitFor()
  await page.getByRole('link', { name: 'Charts around that moment' }).click()
  await settled(page)
  assert.equal(new URL(page.url()).pathname, '/')
  assert.ok(search(page).get('pin'))
  await page.locator('[data-lane] .bin').first().waitFor()
  const marked = await page.evaluate(() => document.querySelectorAll('[data-lane] .bin.notable').length)
  assert.ok(marked >= 1)
  await page.getByRole('link', { name: 'Events', exact: true }).last().click()
  assert.equal(new URL(page.url()).pathname, '/events')
  await machine.systemctl('start', 'barometer.service')
})

test('without a service manager the page says why there are none', async (context) => {
  if (machine !== null) {
    const plain = await Server.create()
    try {
      const probe = await fetch(`${plain.url}/api/services`)
      if (probe.status !== 404) return context.skip('this machine has services')
      opened = await open(browser, plain, '/services')
      await opened.page.getByText('No services on this host').waitFor()
      opened.complaints.length = 0
    } finally {
      await opened?.page.close()
      opened = undefined
      await plain.remove()
    }
  }
})

test('events come as they happen, are filtered by kind and by words, and lead to their moment', async () => {
  const page = await show('/events?from=now-5m')
  spawnSync('/bin/sh', ['-c', 'exit 3', 'marker of the test'])
  await page.locator('[data-filter]').fill('marker exit')
  if (machine === null) {
    await row(page, 'marker of the test').waitFor()
    await row(page, 'exit code 3').click()
    assert.match(await page.locator('[data-detail]').textContent(), /Exit code3/)
    await page.getByRole('link', { name: 'Processes at that moment' }).click()
    assert.equal(new URL(page.url()).pathname, '/processes')
    assert.ok(search(page).get('pin'))
  } else {
    await page.locator('[data-filter]').fill('')
    await page.getByRole('button', { name: 'Services', exact: true }).click()
    assert.equal(search(page).get('kinds'), 'services')
    await page.getByRole('button', { name: 'All', exact: true }).click()
    assert.equal(search(page).get('kinds'), null)
  }
})

test('the inventory is what the interface tells', async () => {
  const page = await show('/inventory')
  const inventory = await server.json('/api/inventory')
  await page.getByRole('heading', { name: 'Computer' }).waitFor()
  const text = await page.locator('main').textContent()
  const told = [inventory.computer.name, inventory.operating_system.name, ...inventory.processors.map((each) => each.name), ...inventory.disks.map((each) => each.name), ...inventory.adapters.map((each) => each.name), ...inventory.missing]
  for (const fact of told.filter(Boolean)) assert.ok(text.includes(fact), `${fact} is missing`)
})

test('connections are what the interface tells, and lead to the program', async () => {
  const page = await show('/network')
  await page.getByRole('grid', { name: 'Ports where programs listen' }).waitFor()
  const { listening } = await server.json('/api/connections')
  const own = listening.find((each) => each.port === server.port)
  assert.ok(own, 'the server does not see its own port')
  const line = row(page, String(server.port))
  await line.scrollIntoViewIfNeeded()
  if (own.process !== null) {
    await line.getByRole('link', { name: own.process }).click()
    assert.equal(search(page).get('q'), String(own.pid))
    await row(page, own.process).waitFor()
  }
})

test('who exchanges most is shown by process and by address', async () => {
  const page = await show('/network')
  const group = page.getByRole('group', { name: 'Top talkers' })
  const processes = group.getByRole('table').first()
  // The page's own connection has two ends on this machine, and one of them is the server's.
  await processes.getByRole('rowheader', { name: /^barograph/ }).waitFor()
  await group.getByRole('rowheader', { name: '127.0.0.1', exact: true }).waitFor()
  const { talkers, why_no_bytes: why } = await server.json('/api/talkers?by=process&top=8')
  assert.ok(talkers.some((each) => each.process?.startsWith('barograph')), JSON.stringify(talkers))
  if (why === null) await processes.getByText(/B\/s$/).first().waitFor()
  else await page.getByText(why).waitFor()
})

test('disks have file systems, charts and hardware', async () => {
  const page = await show('/disks')
  const { drives, disks } = await server.json('/api/inventory')
  const names = new Set((await server.json('/api/metrics')).map((metric) => metric.name))
  if (names.has('disk_percent')) await page.locator('[data-chart=filesystems]').getByText(drives[0].mount_point, { exact: true }).waitFor()
  if (names.has('disk_busy_seconds_total')) await plotBox(page, 'disk-busy')
  for (const disk of disks) await page.getByRole('rowheader', { name: disk.name, exact: true }).waitFor()
})

test('every page is reached with two keys, and Back returns', async () => {
  const page = await show('/')
  await settled(page)
  for (const [key, path] of [['p', '/processes'], ['v', '/services'], ['d', '/disks'], ['n', '/network'], ['l', '/events'], ['i', '/inventory'], ['a', '/alerts'], ['u', '/rules'], ['c', '/configuration'], ['e', '/explore'], ['b', '/dashboards'], ['s', '/status'], ['h', '/']]) {
    await page.keyboard.press('g')
    await page.keyboard.press(key)
    assert.equal(new URL(page.url()).pathname, path)
    await page.locator('main').getByRole('heading').or(page.locator('[role=grid], main textarea')).first().waitFor()
  }
  await page.goBack()
  assert.equal(new URL(page.url()).pathname, '/status')
  if (machine === null) opened.complaints.length = 0
})
