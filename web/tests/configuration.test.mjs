// Documents: written, checked, changed by two at once, compared, brought back and deleted, through the page and beside it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stage } from './harness.mjs'

const on = stage()
const { show } = on

const text = (page) => page.getByRole('textbox', { name: /^Text of/ })
const listed = (page, name) => page.getByRole('navigation', { name: 'Documents' }).getByRole('button', { name, exact: true })

async function put(kind, name, body) {
  const answer = await fetch(`${on.server.url}/api/documents/${kind}/${name}`, { method: 'PUT', body })
  assert.ok(answer.ok, await answer.text())
}

test('a new document begins with a text that is good, and is saved under a name', async () => {
  const page = await show('/configuration')
  for (const kind of ['people', 'rules', 'windows', 'silences', 'routes']) {
    await page.locator(`[data-new=${kind}]`).click()
    await page.waitForFunction(() => document.querySelector('textarea[aria-label^="Text of"]')?.value.length > 10)
    await page.locator('[role=status]', { hasText: /No mistakes|mistake|To be known/ }).first().waitFor()
    const answer = await (await fetch(`${on.server.url}/api/documents/${kind}/default/check`, { method: 'POST', body: await text(page).inputValue() })).json()
    assert.deepEqual(answer.problems.filter((each) => each.severity === 'error' && !/there is no|no such|unknown/i.test(each.message)), [], `the starter of ${kind}`)
  }
  await page.locator('[data-new=windows]').click()
  await page.getByLabel('Name', { exact: true }).fill('nightly backups')
  await page.getByLabel('Your name').fill('Anna')
  await page.getByLabel('Why').fill('first try')
  await page.getByRole('button', { name: 'Save' }).click()
  await listed(page, 'nightly backups').waitFor()
  const kept = await on.server.json('/api/documents/windows/nightly%20backups')
  assert.equal(kept.version, 1)
  assert.equal(kept.author, 'Anna')
  assert.equal(new URL(page.url()).searchParams.get('name'), 'nightly backups')
})

test('a mistake is told while it is typed, with its line, and cannot be saved', async () => {
  await put('windows', 'sunday', 'matchers: [host=a]\nschedule: {time_zone: Europe/Berlin, from: "02:00", to: "04:00", weekdays: [sunday]}\nreason: backups\n')
  const page = await show('/configuration?kind=windows&name=sunday')
  await page.getByText('No mistakes.').waitFor()
  await text(page).fill('matchers: [host=a]\nschedule: {time_zone: Europe/Nowhere, from: "02:00", to: "04:00", weekdays: [sunday]}\nreason: backups\n')
  await page.getByText('1 mistake', { exact: true }).waitFor()
  await page.locator('.numbers .error', { hasText: '2' }).waitFor()
  await page.getByRole('button', { name: /^line 2/ }).click()
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'TEXTAREA')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('form [role=alert]').waitFor()
  assert.equal((await on.server.json('/api/documents/windows/sunday')).version, 1)
  on.forgive()
  await page.getByRole('button', { name: 'Undo my changes' }).click()
  await page.getByText('No mistakes.').waitFor()
})

test('who is overtaken by somebody else loses nothing and decides', async () => {
  const window = (host) => `matchers: [host=${host}]\nschedule: {time_zone: UTC, from: "02:00", to: "04:00", weekdays: [monday]}\nreason: r\n`
  await put('windows', 'shared', window('one'))
  const page = await show('/configuration?kind=windows&name=shared')
  await page.waitForFunction(() => document.querySelector('textarea[aria-label^="Text of"]')?.value.includes('one'))
  await put('windows', 'shared', window('theirs'))
  await text(page).fill(window('mine'))
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Somebody else has changed it').waitFor()
  assert.match(await text(page).inputValue(), /mine/)
  await page.getByRole('button', { name: 'Write mine over theirs' }).click()
  await page.getByText('Saved as version 3.').waitFor()
  assert.match((await on.server.json('/api/documents/windows/shared')).text, /mine/)
  on.forgive()

  await page.getByRole('button', { name: 'History' }).click()
  await page.locator('.history pre .removed', { hasText: 'theirs' }).waitFor()
  await page.locator('.history ol button').nth(2).click()
  await page.getByText('The first version.').waitFor()
  await page.getByRole('button', { name: 'Bring this version back' }).click()
  await page.getByText('Brought back as version 4.').waitFor()
  assert.match((await on.server.json('/api/documents/windows/shared')).text, /one/)
})

test('a document is deleted after a question', async () => {
  await put('windows', 'old', 'matchers: [host=a]\nschedule: {time_zone: UTC, from: "02:00", to: "04:00", weekdays: [monday]}\nreason: r\n')
  const page = await show('/configuration?kind=windows&name=old')
  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('button', { name: 'Keep it' }).click()
  await page.getByRole('button', { name: 'Delete' }).click()
  await page.locator('.ask').getByRole('button', { name: 'Delete' }).click()
  await listed(page, 'old').waitFor({ state: 'detached' })
  assert.equal((await fetch(`${on.server.url}/api/documents/windows/old`)).status, 404)
})

test('on a phone the list gives way to the document, and comes back', async () => {
  const page = await show('/configuration', { width: 390, height: 844, theme: 'light' })
  await listed(page, 'nightly backups').click()
  await page.getByLabel('Reason').waitFor()
  assert.equal(await listed(page, 'nightly backups').isVisible(), false)
  assert.equal(await text(page).isVisible(), false)
  await page.getByRole('button', { name: 'Text', exact: true }).click()
  await text(page).waitFor()
  assert.equal(await page.getByLabel('Reason').isVisible(), false)
  await page.getByRole('button', { name: 'Documents' }).click()
  await listed(page, 'nightly backups').waitFor()
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('option', { name: /^System health/ }).click()
  assert.equal(new URL(page.url()).pathname, '/status')
})

test('a pager is tested from the page, which says what became of it', async () => {
  await put('channels', 'closed', 'type: webhook\nurl: http://169.254.169.254/\n')
  await put('people', 'anna', "contacts: [{channel: closed}]\npager_test: {time_zone: UTC, weekdays: [monday], at: '10:00'}\n")
  const page = await show('/configuration?kind=people&name=anna')
  await page.getByText('The pager was never tested.').waitFor()
  await page.getByText(/^The next test is due/).waitFor()
  await page.getByRole('button', { name: 'Test the pager now' }).click()
  await page.getByText(/waits for its answer until/).waitFor()
  await page.getByText(/^closed: (waiting|failed)/).waitFor()
})
