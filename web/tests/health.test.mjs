// What Barograph's own health says when somebody has to look into something.
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, open, Server } from './harness.mjs'

let server
let browser

before(async () => {
  // Less than any server takes.
  server = await Server.create({ config: '[limits]\nmemory = "16MiB"\n' })
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await server?.remove()
})

test('what is wrong with the data folder and what is over a limit is said first', async () => {
  await server.stop()
  await mkdir(join(server.data, 'import'))
  await writeFile(join(server.data, 'import', 'cut.ready'), 'not what an import leaves')
  await server.start()
  const { page } = await open(browser, server, '/status')
  const verdict = page.getByRole('region', { name: 'Verdict' })
  await verdict.getByText(/an import cannot be taken up/).waitFor()
  await verdict.getByText(/more memory than/).waitFor()
  const said = await verdict.textContent()
  assert.match(said, /Something is wrong\./)
  assert.ok(said.includes(join('import', 'cut.ready')), said)
})
