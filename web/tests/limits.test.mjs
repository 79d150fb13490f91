// The limits of a real control group, of whichever version this machine has.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { launch, open, Server } from './harness.mjs'

const ROOT = '/sys/fs/cgroup'
const MEMORY = 512 * 1024 * 1024
const FIRST = [
  ['memory', { 'memory.limit_in_bytes': MEMORY }],
  ['cpu', { 'cpu.cfs_period_us': 100_000, 'cpu.cfs_quota_us': 50_000 }],
  ['cpuacct', {}],
  ['pids', { 'pids.max': 200 }],
]
const SECOND = [['', { 'memory.max': MEMORY, 'cpu.max': '50000 100000', 'pids.max': 200 }]]

/** Groups with half a processor, half a gibibyte and 200 processes; none where that is not possible. */
async function limitedGroups() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return []
  const controllers = existsSync(`${ROOT}/cgroup.subtree_control`) ? readFileSync(`${ROOT}/cgroup.subtree_control`, 'utf8').split(/\s+/) : []
  const isSecond = ['cpu', 'memory', 'pids'].every((name) => controllers.includes(name))
  const groups = []
  for (const [hierarchy, limits] of isSecond ? SECOND : FIRST) {
    const group = `${ROOT}/${hierarchy}/barograph-limits-${process.pid}`
    try {
      // Some hierarchies are two controllers' under two names.
      if ((await mkdir(group, { recursive: true })) !== undefined) groups.push(group)
      for (const [file, value] of Object.entries(limits)) await writeFile(`${group}/${file}`, String(value))
    } catch (error) {
      console.log(`no control group can be made here: ${error.message}`)
      await remove(groups)
      return []
    }
  }
  return groups
}

const remove = (groups) => Promise.all(groups.map((group) => rmdir(group)))

test('the limits of the group that the server is in are told and shown', async (t) => {
  const groups = await limitedGroups()
  if (groups.length === 0) return t.skip('needs root and control groups that can be written')
  const browser = await launch()
  const server = await Server.create({ groups })
  try {
    const { limits } = await server.json('/api/host')
    assert.deepEqual(limits, { cpu_cores: 0.5, memory_bytes: MEMORY, processes: 200 })
    const { page, complaints } = await open(browser, server, '/')
    const told = page.getByText('container limited to 0.5 CPUs, 512 MiB, 200 processes')
    await told.waitFor()
    const isCut = await told.evaluate((fact) => fact.getBoundingClientRect().bottom > fact.parentElement.getBoundingClientRect().bottom)
    assert.ok(!isCut, 'the limits are on a line that is not shown')
    // What was read since the start may be on its way to the store.
    const stored = async (name) => {
      for (;;) {
        const { data } = await server.json(`/api/v1/query?query=${name}`)
        if (data.result.length > 0) return Number(data.result[0].value[1])
      }
    }
    assert.equal(await stored('container_memory_limit_bytes'), MEMORY)
    assert.equal(await stored('container_cpu_limit_cores'), 0.5)
    const used = await stored('container_memory_working_set_bytes')
    assert.ok(used > 1024 * 1024 && used < MEMORY, `${used} bytes in use`)
    assert.deepEqual(complaints, [])
  } finally {
    await browser.close()
    await server.remove()
    await remove(groups)
  }
})
