// What the browser tests share: the real server on a port of its own, and a browser that reports every complaint.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, afterEach, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const WEB = resolve(fileURLToPath(import.meta.url), '../..')
const START_LIMIT_MS = 20_000
const STOP_LIMIT_MS = 15_000

export const webPath = (...parts) => join(WEB, ...parts)

export function binary() {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const candidates = process.env.BAROGRAPH_BIN
    ? [process.env.BAROGRAPH_BIN]
    : ['release', 'debug'].map((profile) => resolve(WEB, `../target/${profile}/barograph${suffix}`))
  const found = candidates.find((path) => existsSync(path))
  assert.ok(found, `no server to test: build barograph first or set BAROGRAPH_BIN (looked at ${candidates.join(', ')})`)
  return found
}

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}

/** One data folder and one address, behind which the server can be stopped and started again. */
export class Server {
  #child = null

  /** With a machine, the server runs inside of it, where it finds that machine's services; with control groups, it joins them. */
  static async create({ machine = null, groups = [], config = null } = {}) {
    const server = new Server()
    server.machine = machine
    server.groups = groups
    server.data = await mkdtemp(join(tmpdir(), 'barograph-page-'))
    server.port = await freePort()
    server.url = `http://127.0.0.1:${server.port}`
    if (config !== null) await writeFile(join(server.data, 'barograph.toml'), config)
    server.config = config === null ? [] : ['--config', join(server.data, 'barograph.toml')]
    await server.start()
    return server
  }

  async start() {
    const command = [binary(), 'serve', '--listen', `127.0.0.1:${this.port}`, '--data', this.data, ...this.config]
    if (this.machine !== null) command.unshift('nsenter', '--mount', '--pid', '--target', String(this.machine.pid))
    if (this.groups.length > 0) command.unshift('sh', '-c', `${this.groups.map((group) => `echo $$ > '${group}/cgroup.procs'`).join(' && ')} && exec "$@"`, 'sh')
    const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    let output = ''
    const printed = new Promise((done, fail) => {
      const limit = setTimeout(() => fail(new Error(`the server did not print its address:\n${output}`)), START_LIMIT_MS)
      const read = (chunk) => {
        output += chunk
        if (output.includes(`127.0.0.1:${this.port}`)) {
          clearTimeout(limit)
          done()
        }
      }
      child.stdout.on('data', read)
      child.stderr.on('data', (chunk) => (output += chunk))
      child.on('exit', (code) => fail(new Error(`the server ended with ${code}:\n${output}`)))
      child.on('error', fail)
    })
    await printed
    await this.until(`${this.url}/api/current_metrics`)
    const index = await (await fetch(this.url)).text()
    assert.match(index, /\/assets\//, `${binary()} was built without the page: build web/ first, then the server`)
  }

  async until(url) {
    const end = Date.now() + START_LIMIT_MS
    for (;;) {
      const answer = await fetch(url).catch(() => null)
      if (answer?.ok) return answer.json()
      assert.ok(Date.now() < end, `${url} did not answer`)
      await new Promise((done) => setTimeout(done, 100))
    }
  }

  /** Ends the server as an administrator would; it must go by itself. */
  async stop() {
    const child = this.#child
    this.#child = null
    if (child === null || child.exitCode !== null) return
    const gone = once(child, 'exit')
    // Who enters a machine waits for the server, and passes no signal on.
    if (this.machine === null) child.kill('SIGTERM')
    else for (const pid of await childrenOf(child.pid)) process.kill(pid, 'SIGTERM')
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
    const [, signal] = await gone
    clearTimeout(limit)
    assert.notEqual(signal, 'SIGKILL', 'the server did not stop on SIGTERM')
  }

  /** Freezes the server without ending it, and lets it go on. */
  freeze() {
    this.#child.kill('SIGSTOP')
  }

  thaw() {
    this.#child.kill('SIGCONT')
  }

  /** Fetches as a script would. */
  async json(path) {
    const answer = await fetch(this.url + path)
    assert.equal(answer.status, 200, `${path} answered ${answer.status}`)
    return answer.json()
  }

  async remove() {
    await this.stop()
    await rm(this.data, { recursive: true, force: true })
  }
}

const FROM_DIST = process.env.BAROGRAPH_PAGE === 'dist'
const TYPES = { css: 'text/css', html: 'text/html; charset=utf-8', js: 'text/javascript', svg: 'image/svg+xml', woff2: 'font/woff2' }

/**
 * With BAROGRAPH_PAGE=dist the page that was built last is tested with a server that was built earlier: the server's headers, the
 * files of `dist`.
 */
async function pageFromDist(context) {
  const isPage = ({ pathname }) => !/^\/(?:api\/|healthz|metrics$)/.test(pathname)
  await context.route(isPage, async (route) => {
    const { pathname, origin } = new URL(route.request().url())
    const file = webPath('dist', pathname === '/' || !existsSync(webPath('dist', pathname)) ? 'index.html' : pathname)
    const answer = await fetch(origin).catch(() => null)
    if (answer === null) return route.abort('connectionrefused')
    const policy = answer.headers.get('content-security-policy')
    return route.fulfill({ path: file, headers: { 'content-type': TYPES[file.split('.').at(-1)] ?? '', ...(policy && { 'content-security-policy': policy }) } })
  })
}

async function childrenOf(pid) {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.split(' ').filter(Boolean).map(Number)
}

const UNITS = {
  'default.target': '[Unit]\nWants=barometer.service broken.service dbus.socket dbus.service\n',
  'barometer.service': "[Unit]\nDescription=Measures the pressure of the air\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000 1\n[Install]\nWantedBy=default.target\n",
  'broken.service': "[Unit]\nDescription=Fails\n[Service]\nExecStart=/bin/sh -c 'exit 7'\n",
  'dbus.socket': '[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/dbus/system_bus_socket\n',
  'dbus.service':
    '[Unit]\nRequires=dbus.socket\nAfter=dbus.socket\n[Service]\nExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only\n',
}

/** The real systemd as the first process of a small machine of its own; `null` where that is not possible. */
export class Machine {
  static async start() {
    const needed = ['/lib/systemd/systemd', '/usr/bin/unshare', '/usr/bin/nsenter', '/usr/bin/dbus-daemon']
    if (process.platform !== 'linux' || process.getuid() !== 0 || !needed.every((path) => existsSync(path))) return null
    const machine = new Machine()
    machine.units = await mkdtemp(join(tmpdir(), 'barograph-units-'))
    for (const [name, text] of Object.entries(UNITS)) await writeFile(join(machine.units, name), text)
    await mkdir(join(machine.units, 'default.target.wants'))
    await symlink('../barometer.service', join(machine.units, 'default.target.wants/barometer.service'))
    const script = resolve(WEB, '../crates/collect/src/platform/linux/tests/systemd/start.sh')
    machine.shell = spawn('sh', [script, machine.units], { stdio: 'ignore' })
    const end = Date.now() + START_LIMIT_MS
    while (!machine.pid) {
      assert.ok(Date.now() < end, 'the machine with systemd did not start')
      await pause(100)
      const [pid] = await childrenOf(machine.shell.pid)
      if (pid && existsSync(`/proc/${pid}/root/run/systemd/private`)) machine.pid = pid
    }
    return machine
  }

  async systemctl(...args) {
    const done = spawn('nsenter', ['--mount', '--pid', '--target', String(this.pid), 'systemctl', ...args], { stdio: 'ignore' })
    await once(done, 'exit')
  }

  async stop() {
    const gone = once(this.shell, 'exit')
    this.shell.kill('SIGKILL')
    await gone
    await rm(this.units, { recursive: true, force: true })
  }
}

/** Without the page, the browser opens whatever it is told to. */
export async function launch({ ofPage = true } = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'barograph-browser-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.BAROGRAPH_CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
      // A page that the test itself answers for counts as one from elsewhere.
      ...(FROM_DIST ? ['--disable-features=LocalNetworkAccessChecks'] : []),
    ],
    viewport: { width: 1440, height: 900 },
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  if (FROM_DIST && ofPage) await pageFromDist(context)
  return {
    context,
    async close() {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
}

/**
 * Opens a page that keeps what it complains about. `complaints` holds console errors, page errors, violations of the
 * content security policy and requests to any other origin.
 */
export async function open(browser, server, path = '/', { width = 1440, height = 900, theme = 'dark' } = {}) {
  const page = await browser.context.newPage()
  const complaints = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`console ${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`page error: ${error.stack ?? error.message}`))
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url())
    if (!['data:', 'blob:'].includes(protocol) && host !== `127.0.0.1:${server.port}`) complaints.push(`request to ${host}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} for ${new URL(response.url()).pathname}`)
  })
  await page.setViewportSize({ width, height })
  await page.emulateMedia({ colorScheme: theme })
  await page.goto(server.url + path)
  return { page, complaints }
}

/** Waits until charts have drawn something and the stream is live. */
export async function settled(page) {
  await page.waitForSelector('[data-fresh=live]', { timeout: 20_000 })
  await page.waitForFunction(() => document.querySelectorAll('figure .uplot').length > 0 && document.querySelector('[data-card=cpu] .value')?.textContent !== '–', undefined, { timeout: 20_000 })
}

/** The legend of a chart as label → text of its value. */
export function legend(page, chart) {
  return page.$$eval(`[data-chart=${chart}] .legend .item:has(.label)`, (items) =>
    Object.fromEntries(items.map((item) => [item.querySelector('.label').textContent, item.querySelector('.value').textContent])),
  )
}

export async function plotBox(page, chart) {
  const over = page.locator(`[data-chart=${chart}] .u-over`)
  await over.scrollIntoViewIfNeeded()
  return over.boundingBox()
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms))

/**
 * A server and a browser for all tests of a file, and one page at a time. What the page complained about fails the test that opened it, unless the test
 * forgave it.
 */
export function stage(create = () => Server.create()) {
  const it = {
    server: null,
    browser: null,
    opened: null,
    async open(path, options) {
      it.opened = await open(it.browser, it.server, path, options)
      return it.opened.page
    },
    async show(path, options) {
      const page = await it.open(path, options)
      await page.waitForSelector('[data-fresh=live]')
      return page
    },
    /** What was refused was meant to be. */
    forgive() {
      it.opened.complaints.length = 0
    },
  }
  before(async () => {
    it.server = await create()
    it.browser = await launch()
  })
  after(async () => {
    await it.browser?.close()
    await it.server?.remove()
  })
  afterEach(async (context) => {
    const complaints = it.opened?.complaints ?? []
    if (context?.passed === false) await tellWhatIsShown(it.opened?.page)
    await it.opened?.page.close()
    it.opened = null
    assert.deepEqual(complaints, [], 'the page complained')
  })
  return it
}

/** For whoever reads why a test failed, on a machine that they cannot look at. */
async function tellWhatIsShown(page) {
  const shown = await page?.evaluate(() => [location.href, document.activeElement?.outerHTML.slice(0, 200), document.body.innerText.slice(0, 3000)].join('\n')).catch(String)
  console.error(`The page showed:\n${shown}`)
}

/** A picture of the page, in the folder that BAROGRAPH_SHOTS names. */
export async function shoot(page, name) {
  const folder = process.env.BAROGRAPH_SHOTS
  if (!folder) return
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}

let axe

/** Fails with everything that keeps people out. */
export async function accessible(page) {
  axe ??= await readFile(webPath('node_modules/axe-core/axe.min.js'), 'utf8')
  await page.evaluate(axe)
  const violations = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] })
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`)
  })
  assert.deepEqual(violations, [])
}

/** Fails when something is wider than its place. */
export async function fits(page) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.equal(overflow, 0, `${overflow} px wider than the window`)
  const clipped = await page.evaluate(() => document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth)
  assert.equal(clipped, 0, `the content is ${clipped} px wider than its place`)
}
