// Lighthouse's scores of the main pages, with a server that has the page inside: `node lighthouse.mjs FOLDER`. Lighthouse is 185 MB and no dependency of the
// page: FOLDER is where `npm install --prefix FOLDER lighthouse@12.8.2` put it. Nothing is asked of the network.
import { createRequire } from 'node:module'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { freePort, pause, Server } from './tests/harness.mjs'

const [folder, wanted] = process.argv.slice(2)
if (folder === undefined) throw new Error('name the folder that Lighthouse is installed in: npm install --prefix FOLDER lighthouse@12.8.2')
const require = createRequire(join(resolve(folder), 'package.json'))
const load = async (path) => (await import(pathToFileURL(require.resolve(path)).href)).default
const [lighthouse, desktop] = await Promise.all([load('lighthouse'), load('lighthouse/core/config/desktop-config.js')])

const PAGES = ['/?from=now-15m', '/overview', '/processes', '/network', '/alerts', '/rules', '/explore?q=cpu_usage', '/dashboards', '/configuration', '/status'].filter((path) => wanted === undefined || path.startsWith(wanted))
const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo']

const server = await Server.create()
const profile = await mkdtemp(join(tmpdir(), 'barograph-lighthouse-'))
const port = await freePort()
const chromium = spawn(process.env.BAROGRAPH_CHROMIUM ?? '/usr/bin/chromium', [
  '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', `--remote-debugging-port=${port}`, `--user-data-dir=${profile}`, 'about:blank',
], { stdio: 'ignore' })
try {
  await server.until(`http://127.0.0.1:${port}/json/version`)
  // So that there is something to show.
  await pause(15_000)
  for (const [device, config] of [['desktop', desktop], ['mobile', undefined]]) {
    for (const path of PAGES) {
      const { lhr } = await lighthouse(server.url + path, { port, onlyCategories: CATEGORIES, logLevel: 'error' }, config)
      const scores = CATEGORIES.map((name) => `${name} ${Math.round((lhr.categories[name].score ?? 0) * 100)}`)
      console.log(`${device}, ${path}: ${scores.join(', ')}`)
      const audits = new Set(CATEGORIES.slice(1).flatMap((name) => lhr.categories[name].auditRefs.filter(({ weight }) => weight > 0).map(({ id }) => id)))
      for (const id of audits) {
        const { score, title, details } = lhr.audits[id]
        if (score !== null && score < 1) console.log(`    ${id}: ${title}`, JSON.stringify(details?.items ?? []).slice(0, 400))
      }
    }
  }
} finally {
  chromium.kill()
  await new Promise((done) => (chromium.exitCode === null ? chromium.on('exit', done) : done()))
  await server.remove()
  await rm(profile, { recursive: true, force: true })
}
