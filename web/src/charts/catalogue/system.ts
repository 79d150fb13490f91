import { en } from '../../en'
import { gauge, instances, parts, rate } from '../build'
import { line, perInstance, single, type ChartSpec, type Column } from '../spec'

export const processes: ChartSpec = {
  id: 'processes', title: en.charts.processes, unit: 'count', kind: 'lines', reduce: 'max',
  queries: { processes: gauge('process_count'), threads: gauge('thread_count') },
  needs: ['process_count', 'thread_count'], absent: en.absent.processes, usual: { query: gauge('process_count'), label: en.series.processes },
  lines: (frame) => [
    ...line(single(frame.read('processes')), 'processes', en.series.processes, 's1'),
    ...line(single(frame.read('threads')), 'threads', en.series.threads, 's2'),
  ],
}

export const switches: ChartSpec = {
  id: 'switches', title: en.charts.switches, unit: 'countRate', kind: 'lines', reduce: 'max',
  queries: { switches: rate('system_context_switches_total'), interrupts: rate('system_interrupts_total') },
  needs: ['system_context_switches_total', 'system_interrupts_total'], absent: en.absent.switches, usual: { query: rate('system_context_switches_total'), label: en.series.switches },
  lines: (frame) => [
    ...line(single(frame.read('switches')), 'switches', en.series.switches, 's1'),
    ...line(single(frame.read('interrupts')), 'interrupts', en.series.interrupts, 's2'),
  ],
}

const names = en.series
const sums = { how: 'sum', label: en.charts.others } as const

export const forks = parts('forks', en.charts.forks, 'countRate', [{ name: 'forks', query: rate('system_forks_total'), label: names.forks, color: 's1' }])

export const services = parts('services', en.charts.services, 'count', (
  [['running', 's1'], ['failed', 's3'], ['stopped', 's5'], ['starting', 's4'], ['done', 's2']] as const
).map(([state, color]) => ({ name: state, query: { metric: 'services', match: { state } }, label: en.services.states[state], color })))

/** Processor time in user and kernel mode together, as percent of one processor. */
export const watchedCpu: ChartSpec = {
  ...instances('watched-cpu', en.charts.watchedCpu, 'percent', { query: rate('process_group_cpu_seconds_total', 'name'), label: 'name', rest: sums, factor: 100 }),
  scope: () => en.charts.ofOneCpu,
}
export const watchedMemory = instances('watched-memory', en.charts.watchedMemory, 'bytes', { query: gauge('process_group_working_set_bytes'), label: 'name', rest: sums })
export const watchedCount = instances('watched-count', en.charts.watchedCount, 'count', { query: gauge('process_group_count'), label: 'name', rest: sums })
export const watchedIo: ChartSpec = {
  id: 'watched-io', title: en.charts.watchedIo, unit: 'byteRate', kind: 'lines', reduce: 'max', absent: '',
  queries: { read: rate('process_group_read_bytes_total', 'name'), written: rate('process_group_written_bytes_total', 'name') },
  needs: ['process_group_read_bytes_total'], instance: 'name',
  lines(frame) {
    const written = frame.read('written')
    const both = frame.read('read').map((read): Column => {
      const other = written.find((each) => each.labels.name === read.labels.name)
      return { labels: read.labels, values: read.values.map((value, i) => value + (other?.values[i] ?? Number.NaN)) }
    })
    return perInstance(frame, 'name', both, 'name', sums)
  },
}

export const ownCpu = parts('own-cpu', en.charts.ownCpu, 'percent', [{ name: 'cpu', query: rate('barograph_cpu_seconds_total'), label: en.charts.cpu, color: 's1', factor: 100 }], { scope: () => en.charts.ofOneCpu })
export const ownMemory = parts('own-memory', en.charts.ownMemory, 'bytes', [{ name: 'resident', query: gauge('barograph_memory_resident_bytes'), label: en.charts.memory, color: 's1' }])
