import { expect, it } from 'vitest'
import { fitsFilter, ioOf, keyOf, parentsOf, words, type Process } from './processes'

const process = (pid: number, parent: number, more: Partial<Process> = {}): Process => ({
  pid, parent, started_ms: pid * 10, name: `p${pid}`, path: null, command_line: null, user: null, service: null, cgroup: null, state: 'running',
  cpu_percent: 0, cpu_user_percent: 0, cpu_privileged_percent: 0, working_set_bytes: 0, virtual_bytes: 0, page_file_bytes: null, threads: 1,
  handles: null, read_bytes_per_second: null, written_bytes_per_second: null, ...more,
})

it('tells a process from another that had its number', () => {
  expect(keyOf(process(7, 1))).not.toBe(keyOf(process(7, 1, { started_ms: 5 })))
})

it('climbs to the first process, and no further', () => {
  const all = [process(1, 0), process(2, 1), process(3, 2)]
  expect(parentsOf(all[2] as Process, all).map((each) => each.pid)).toEqual([2, 1])
})

it('takes no process for a parent that is younger than its child', () => {
  const all = [process(5, 9), process(9, 1)]
  expect(parentsOf(all[0] as Process, all)).toEqual([])
})

it('finds all words, whichever field holds them', () => {
  const one = process(4321, 1, { name: 'nginx', user: 'www-data', command_line: 'nginx: worker' })
  expect(fitsFilter(one, words('WWW worker 4321'))).toBe(true)
  expect(fitsFilter(one, words('nginx root'))).toBe(false)
  expect(words('   ')).toEqual([])
})

it('adds what is read and written, and knows neither when neither is told', () => {
  expect(ioOf(process(1, 0, { read_bytes_per_second: 5 }))).toBe(5)
  expect(ioOf(process(1, 0))).toBeNull()
})
