// Forms beside the text of documents, and what is tried before it counts: through the page, against the real server and a real receiver.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { accessible, fits, freePort, pause, Server, shoot, stage } from './harness.mjs'

const on = stage(() => Server.create({ config: "[notify]\ninternal_networks = ['127.0.0.1']\n" }))
const { show } = on
const received = []
let receiver
let port

before(async () => {
  port = await freePort()
  receiver = createServer((request, answer) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      received.push({ url: request.url, headers: request.headers, body })
      answer.statusCode = request.url === '/refuses' ? 403 : 200
      answer.end('thank you')
    })
  }).listen(port, '127.0.0.1')
})

after(() => receiver?.close())

const text = (page) => page.getByRole('textbox', { name: /^Text of/ })
const form = (page) => page.getByRole('group', { name: /^Form of/ })
const good = (page) => page.getByText('No mistakes.').waitFor()

async function put(kind, name, body) {
  const answer = await fetch(`${on.server.url}/api/documents/${kind}/${name}`, { method: 'PUT', body })
  assert.ok(answer.ok, await answer.text())
}

const kept = async (kind, name) => (await on.server.json(`/api/documents/${kind}/${name}`)).text

const RULES = `# ours
groups:
  - name: disks # all of them
    rules:
      - alert: MemoryUsed
        metric: memory_percent
        greater_than: 0.01 # see the wiki
        severity: warning
      # the second one
      - {alert: Other, expr: 'cpu_usage > 1000'}
`

test('what the form changes stands in the text with its comments, and what the text changes in the form', async () => {
  await put('rules', 'both', RULES)
  const page = await show('/configuration?kind=rules&name=both')
  const rule = form(page).locator('[data-field="groups.0.rules.0.greater_than"]')
  await rule.getByLabel('Greater than').fill('95')
  assert.equal(await text(page).inputValue(), RULES.replace('0.01', '95'))
  await form(page).locator('[data-field="groups.0.rules.0.for"]').getByLabel('For', { exact: true }).fill('5m')
  assert.match(await text(page).inputValue(), /greater_than: 95 # see the wiki\n {8}for: 5m\n {8}severity: warning\n {6}# the second one\n {6}- \{alert: Other/)
  await text(page).fill(RULES.replace('MemoryUsed', 'Renamed').replace('warning', 'critical'))
  await page.waitForFunction(() => [...document.querySelectorAll('[data-field="groups.0.rules.0.alert"] input')].some((input) => input.value === 'Renamed'))
  assert.equal(await form(page).getByLabel('Severity').first().inputValue(), 'critical')
  await form(page).getByText('Rule 1: Renamed').waitFor()
  await text(page).fill('groups: [')
  await page.getByText('The text is not well formed').waitFor()
  await page.getByRole('button', { name: 'Undo my changes' }).click()
  await form(page).getByText('Rule 1: MemoryUsed').waitFor()
})

test('a mistake stands at its field and at its line', async () => {
  const page = await show('/configuration?kind=rules&name=both')
  const field = form(page).locator('[data-field="groups.0.rules.0.for"]')
  await field.getByLabel('For', { exact: true }).fill('soon')
  await field.getByText(/soon/).waitFor()
  assert.equal(await field.locator('input').getAttribute('aria-invalid'), 'true')
  await page.locator('.numbers .error', { hasText: '8' }).waitFor()
  await field.getByLabel('For', { exact: true }).fill('')
  await good(page)
  assert.equal(await text(page).inputValue(), RULES)
})

test('another kind of channel keeps what both have, and a secret is stored from the form', async () => {
  const page = await show('/configuration?kind=channels')
  await good(page)
  await form(page).getByLabel('Kind').selectOption({ label: 'E-mail' })
  await form(page).getByText('is empty').first().waitFor()
  await form(page).getByLabel('Mail server').fill('mail.example.org')
  await form(page).getByLabel('Sender').fill('a@example.org')
  await good(page)
  assert.equal(await text(page).inputValue(), 'type: email\nserver: mail.example.org\nfrom: a@example.org\n')
  await form(page).getByLabel('Kind').selectOption({ label: 'Slack, Mattermost and the like' })
  assert.equal(await text(page).inputValue(), 'type: slack\nurl: ""\n')
  await form(page).getByLabel('Where Address of the webhook comes from').selectOption('Store a new secret …')
  await form(page).getByLabel('Name of the secret').fill('chat hook')
  await form(page).getByLabel('Secret', { exact: true }).fill('https://chat.example.org/secret')
  await form(page).getByRole('button', { name: 'Store' }).click()
  await page.waitForFunction(() => document.querySelector('textarea[aria-label^="Text of"]').value.includes('secret: chat hook'))
  assert.deepEqual((await on.server.json('/api/secrets')).secrets, ['chat hook'])
  await good(page)
})

test('a test by a channel says what the receiver said', async () => {
  await put('channels', 'hook', `type: webhook\nurl: http://127.0.0.1:${port}/takes\n`)
  await put('channels', 'refusing', `type: webhook\nurl: http://127.0.0.1:${port}/refuses\n`)
  const page = await show('/configuration?kind=channels&name=hook')
  await page.getByRole('button', { name: 'Send a test' }).click()
  await page.getByText(/^The test was delivered/).waitFor()
  const told = received.filter(({ url, body }) => url === '/takes' && JSON.parse(body).barograph.event === 'test')
  assert.equal(told.length, 1)
  await page.getByRole('button', { name: 'Show what it would send' }).click()
  await page.locator('pre', { hasText: 'barograph' }).waitFor()
  await form(page).getByLabel('Description').fill('ours')
  assert.equal(await page.getByRole('button', { name: 'Send a test' }).isDisabled(), true)
  await page.getByRole('button', { name: 'Undo my changes' }).click()
  await page.getByRole('navigation', { name: 'Documents' }).getByRole('button', { name: 'refusing' }).click()
  await page.getByRole('button', { name: 'Send a test' }).click()
  await page.getByText(/^The test was not delivered: .*403/).waitFor()
})

test('the threshold of a rule is dragged over its history, and what would have fired is counted anew', async () => {
  await put('rules', 'drag', RULES)
  // A rule is tried every ten seconds at the closest.
  for (let i = 0; i < 60; i++) {
    const found = await (await fetch(`${on.server.url}/api/rules/backtest`, { method: 'POST', body: RULES })).json()
    if (found.rules?.[0]?.fired > 0) break
    await pause(1000)
  }
  const page = await show('/configuration?kind=rules&name=drag')
  await page.getByText(/^It would have fired 1 time on 1 series/).waitFor()
  await page.getByText('1 series meets it now.').waitFor()
  const slider = page.getByRole('slider', { name: 'Threshold' })
  await slider.focus()
  const before = Number(await slider.getAttribute('aria-valuenow'))
  await page.keyboard.press('PageUp')
  const after = Number(await slider.getAttribute('aria-valuenow'))
  assert.ok(after > before, `${before} → ${after}`)
  assert.match(await text(page).inputValue(), new RegExp(`greater_than: ${String(after).replace('.', '\\.')} # see the wiki`))

  const box = await slider.boundingBox()
  await page.mouse.move(box.x + 60, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(box.x + 60, box.y - 400, { steps: 8 })
  await page.mouse.up()
  assert.ok(Number(await slider.getAttribute('aria-valuenow')) > after)
  await page.keyboard.press('End')
  await form(page).locator('[data-field="groups.0.rules.0.greater_than"]').getByLabel('Greater than').fill('101')
  await page.getByText('It would not have fired.').waitFor()
  await page.getByText('No series meets it now.').waitFor()
  await shoot(page, 'backtest-dragged')

  await form(page).locator('[data-field="groups.0.rules.0.greater_than"]').getByLabel('Greater than').fill('0.01')
  await page.getByText(/^It would have fired 1 time/).waitFor()
  await form(page).locator('[data-field="groups.0.rules.0.for"]').getByLabel('For', { exact: true }).fill('6h')
  await page.getByText('It would not have fired. 1 time it was pending only.').or(page.getByText(/^It would not have fired\./)).waitFor()

  await page.getByLabel('Rule', { exact: true }).selectOption('Other')
  await page.waitForFunction(() => document.querySelector('[role=slider]')?.getAttribute('aria-valuenow') === '1000')
  await slider.focus()
  await page.keyboard.press('ArrowUp')
  await page.waitForFunction(() => /expr: 'cpu_usage > 1\d\d\d'/.test(document.querySelector('textarea[aria-label^="Text of"]').value))
})

test('a rule of a document leads to its form', async () => {
  const page = await show('/rules')
  await page.locator('[role=row][data-key^="document both"]', { hasText: 'MemoryUsed' }).click()
  await page.getByRole('link', { name: 'Change it, or try it on its history' }).click()
  await form(page).getByText('Rule 1: MemoryUsed').waitFor()
})

test('a rota shows who is on call, and when nobody is', async () => {
  await put('channels', 'mail', `type: webhook\nurl: http://127.0.0.1:${port}/takes\n`)
  for (const name of ['anna', 'ben']) await put('people', name, 'contacts: [{channel: mail}]\n')
  const rota = "time_zone: Europe/Berlin\nlayers:\n  - people: [anna, ben]\n    starts: 2026-01-05T09:00\n    turn_days: 7\n"
  await put('rotas', 'ops', rota)
  const page = await show('/configuration?kind=rotas&name=ops')
  await page.getByText('Somebody is on call all the time in the next 4 weeks.').waitFor()
  await form(page).getByText('All turns').click()
  assert.ok(await form(page).locator('.trial li').count() >= 4)
  await form(page).getByRole('button', { name: 'Add to Only at these times' }).or(form(page).getByRole('button', { name: 'Add: Times' })).first().click()
  await form(page).getByLabel(/^Time zone/).last().fill('Europe/Berlin')
  await form(page).getByLabel(/^From/).fill('08:00')
  await form(page).getByLabel(/^To\b/).fill('18:00')
  await page.getByText(/gaps in the next 4 weeks: nobody is on call for/).waitFor()
  await shoot(page, 'rota-gaps')
})

test('a policy, a window, a silence and the routes show what they would do', async () => {
  await put('policies', 'day', 'steps:\n  - notify: [channel:mail]\n  - {after: 15m, notify: [person:anna]}\nrounds: 2\n')
  await put('policies', 'night', 'steps: [{notify: [rota:ops]}]\n')
  let page = await show('/configuration?kind=policies&name=day')
  await page.locator('.trial li', { hasText: 'after 15 m' }).waitFor()
  assert.equal(await page.locator('.trial li').count(), 4)
  await form(page).getByLabel('Rounds').fill('1')
  await page.waitForFunction(() => document.querySelectorAll('.trial li').length === 2)
  await on.opened.page.close()

  page = await show('/configuration?kind=windows')
  await page.waitForFunction(() => document.querySelectorAll('.trial ol li').length === 5)
  await form(page).getByLabel('Kind').selectOption({ label: 'On one day' })
  await form(page).getByLabel(/^Day\b/).fill('2031-12-24')
  await page.waitForFunction(() => document.querySelectorAll('.trial ol li').length === 1)
  await on.opened.page.close()

  await put('routes', 'default', 'policy: day\nroutes:\n  - {matchers: [severity=critical], policy: night, group_wait: 30s}\n')
  page = await show('/configuration?kind=routes&name=default')
  await page.locator('[data-decision]', { hasText: 'It goes to night, after waiting 30 s for more' }).waitFor()
  await page.getByLabel('Labels of an alert').fill('alertname=X, severity=info, host=a')
  await page.locator('[data-decision]', { hasText: 'It goes to day' }).waitFor()
  await page.getByLabel('Labels of an alert').fill('nonsense')
  await page.getByText('nonsense is no label').waitFor()
})

test('a window is made by keys alone', async () => {
  const page = await show('/configuration')
  await page.locator('[data-new=windows]').focus()
  await page.keyboard.press('Enter')
  await page.getByLabel('Name', { exact: true }).focus()
  await page.keyboard.type('by keys')
  await form(page).getByLabel('Hides alerts with, 1').focus()
  await page.keyboard.press('Control+a')
  await page.keyboard.type('host=keys')
  await form(page).getByRole('button', { name: 'Add to Hides alerts with' }).focus()
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Hides alerts with, 2')
  await page.keyboard.type('severity=info')
  for (let i = 0; i < 80 && (await page.evaluate(() => document.activeElement?.textContent)) !== 'Save'; i++) await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByRole('navigation', { name: 'Documents' }).getByRole('button', { name: 'by keys' }).waitFor()
  assert.match(await kept('windows', 'by%20keys'), /matchers: \[host=keys, severity=info\]/)
})

test('what is watched and scraped is taken up while the server runs', async () => {
  let page = await show('/configuration?kind=watch')
  await form(page).getByLabel('Processes, 1').fill('barograph*')
  await good(page)
  await page.getByRole('button', { name: 'Save' }).click()
  await form(page).locator('.trial li', { hasText: /barograph\* *\d+ process/ }).waitFor()
  await on.opened.page.close()

  page = await show('/configuration?kind=scrapes')
  await page.getByLabel('Name', { exact: true }).fill('self')
  await form(page).getByLabel('Targets, 1').fill(`127.0.0.1:${on.server.port}`)
  await form(page).getByLabel('Every').fill('1s')
  await good(page)
  await page.getByRole('button', { name: 'Save' }).click()
  await form(page).locator('.trial li', { hasText: /answers/ }).waitFor()
  await form(page).getByLabel('Path').fill('/nowhere')
  await good(page)
  await page.getByRole('button', { name: 'Save' }).click()
  await form(page).locator('.trial li', { hasText: /does not answer: .*text\/html/ }).waitFor()
})

const VIEWS = [
  ['channels', 'hook', 'Send a test'], ['people', 'anna', 'Contacts'], ['policies', 'day', 'Who would be told'], ['rotas', 'ops', 'Who is on call'], ['routes', 'default', 'Where an alert goes'], ['rules', 'both', 'On the stored history'], ['windows', 'by%20keys', 'What it hides'], ['silences', '', 'What it hides'], ['scrapes', 'self', 'How the targets are doing'], ['watch', 'default', 'What runs under these names'],
]

for (const theme of ['dark', 'light']) {
  for (const [width, height] of [[1440, 900], [768, 1024], [390, 844]]) {
    test(`each form fits and is accessible, ${theme}, ${width} px`, async () => {
      for (const [kind, name, heading] of VIEWS) {
        const page = await show(`/configuration?kind=${kind}&name=${name}`, { width, height, theme })
        await form(page).getByText(heading).first().waitFor()
        await pause(900)
        await shoot(page, `form-${kind}-${theme}-${width}`)
        await fits(page)
        await accessible(page)
        assert.deepEqual(on.opened.complaints, [])
        await page.close()
      }
    })
  }
}
