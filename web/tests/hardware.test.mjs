// Sensors and network shares, which a machine that runs tests hardly has: sent for this host under the names that its collectors use.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, open, Server, settled } from './harness.mjs'
import { remoteWrite } from './remote-write.mjs'

let server
let browser
let sending
let sent

before(async () => {
  server = await Server.create()
  browser = await launch()
  const { host } = await server.json('/api/host')
  let second = 0
  const send = (ms) => {
    second += 1
    const one = (name, labels, value) => ({ labels: { __name__: name, host, ...labels }, samples: [[ms, value]] })
    const chips = [['k10temp 0000:00:18.3', 'Tctl', 61.5], ['nvme0', 'Composite', 38.9], ['nvme1', 'Composite', 41.2]]
    const shares = [['/mnt/backup', 5e6, 40], ['/home', 2e5, 300]]
    return remoteWrite(server.url, [
      ...chips.map(([chip, sensor, value]) => one('hwmon_temperature_celsius', { chip, sensor }, value + (second % 3))),
      one('hwmon_fan_rpm', { chip: 'nct6775', sensor: 'fan1' }, 1180 + second),
      one('hwmon_power_watts', { chip: 'amdgpu', sensor: 'PPT' }, 42.5),
      one('thermal_zone_kelvin', { zone: 'x86_pkg_temp' }, 273.15 + 55),
      ...shares.flatMap(([mount, bytes, calls]) => [
        one('nfs_mount_read_bytes_total', { mount }, second * bytes),
        one('nfs_mount_written_bytes_total', { mount }, second * bytes / 4),
        one('nfs_mount_operations_total', { mount, operation: 'read' }, second * calls),
        one('nfs_mount_operations_total', { mount, operation: 'other' }, second * calls),
        one('nfs_mount_execution_seconds_total', { mount, operation: 'read' }, second * calls * 0.008),
        one('nfs_mount_execution_seconds_total', { mount, operation: 'other' }, second * calls * 0.002),
        one('nfs_mount_retransmissions_total', { mount, operation: 'read' }, second),
        one('nfs_mount_timeouts_total', { mount, operation: 'read' }, 0),
      ]),
    ])
  }
  // Charts are told at once what was there before; what is sent meanwhile is told when it is asked for.
  const now = Date.now()
  for (let ms = now - 30_000; ms <= now; ms += 1000) await send(ms)
  sending = setInterval(() => (sent = send(Date.now())), 1000)
})

after(async () => {
  clearInterval(sending)
  await sent
  await browser?.close()
  await server?.remove()
})

test('sensors and shares have charts where there are any, told apart by chip and by mount point', async () => {
  const { page, complaints } = await open(browser, server, '/?from=now-1m')
  await settled(page)
  for (const [chart, labels] of [
    ['sensor-temperature', ['k10temp 0000:00:18.3 Tctl', 'nvme0 Composite', 'nvme1 Composite']],
    ['sensor-fans', ['nct6775 fan1']],
    ['sensor-power', ['amdgpu PPT']],
    ['temperature', ['x86_pkg_temp']],
    ['share-read', ['/home', '/mnt/backup']],
    ['share-written', ['/home', '/mnt/backup']],
    ['share-calls', ['/home', '/mnt/backup']],
    ['share-latency', ['/home', '/mnt/backup']],
    ['share-trouble', ['sent again', 'no answer']],
  ]) {
    await page.locator(`[data-chart=${chart}]`).scrollIntoViewIfNeeded()
    const told = ([id, names]) => names.every((name) => document.querySelector(`#${id}-summary`)?.textContent.includes(`${name}: now `))
    await page.waitForFunction(told, [chart, labels])
  }
  await page.waitForFunction(() => document.querySelector('#share-latency-summary').textContent.includes('/home: now 5.00 ms'))
  await page.waitForFunction(() => document.querySelector('#sensor-fans-summary').textContent.includes(' rpm'))
  assert.deepEqual(complaints, [])
})
