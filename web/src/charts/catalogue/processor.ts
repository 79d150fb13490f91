import { en } from '../../en'
import { gauge, instances, parts, rate, sum } from '../build'
import { combine, line, map, single, type ChartSpec, type Column, type Frame, type Line } from '../spec'

/** Bottom-up, the ones that people look for first; idle is what is left. */
const MODES = [
  ['user', 's1'], ['system', 's2'], ['iowait', 's4'], ['steal', 's6'], ['nice', 's5'], ['irq', 's3'], ['softirq', 's8'],
] as const

export const cpu: ChartSpec = {
  id: 'cpu', title: en.charts.cpu, unit: 'percent', kind: 'stack', reduce: 'avg', aggregation: en.charts.meanAndPeak,
  queries: { modes: rate('cpu_seconds_total', 'mode'), usage: gauge('cpu_usage') },
  needs: ['cpu_seconds_total'], absent: en.absent.cpu,
  top: () => 100, limited: { metric: 'cpu_usage', at: (value) => value }, usual: { query: gauge('cpu_usage'), label: en.charts.cpu },
  scope: (host) => (host?.cpu_count ? en.charts.cpus(host.cpu_count) : ''),
  total: (frame) => single(frame.read('usage', 'max')) ?? null,
  lines(frame) {
    const modes = frame.read('modes')
    const share = 100 / (frame.host?.cpu_count ?? 1)
    const lines: Line[] = MODES.flatMap(([mode, color]) => {
      const column = modes.find((each) => each.labels.mode === mode)
      return column === undefined ? [] : line(map(column, (value) => value * share), mode, en.series[mode], color)
    })
    if (!frame.aggregated) return lines
    const peak = line(single(frame.read('usage', 'max')), 'peak', en.series.peak, 'plain')
    return [...lines, ...peak.map((each) => ({ ...each, aside: true }))]
  },
}

export const memory: ChartSpec = {
  id: 'memory', title: en.charts.memory, unit: 'bytes', kind: 'stack', reduce: 'avg',
  queries: {
    total: gauge('memory_total_bytes'), available: gauge('memory_available_bytes'), free: gauge('memory_free_bytes'),
    swapTotal: gauge('memory_swap_total_bytes'), swapFree: gauge('memory_swap_free_bytes'),
  },
  needs: ['memory_available_bytes'], absent: en.absent.memory,
  top: (host) => host?.memory_bytes ?? null,
  limited: { metric: 'memory_percent', at: (value, host) => (host?.memory_bytes ? (value / 100) * host.memory_bytes : null) },
  usual: { query: gauge('memory_percent'), label: en.series.used, at: (value, host) => (host?.memory_bytes ? (value / 100) * host.memory_bytes : null) },
  total: (frame) => {
    const used = usedMemory(frame)
    const { memory_bytes: size } = frame.host ?? {}
    return used === undefined ? null : { values: used.values, ...(size ? { of: en.facts.memory(size) } : {}) }
  },
  lines(frame) {
    const [available, free] = [single(frame.read('available')), single(frame.read('free'))]
    const reclaimable = combine(available, free, (a, b) => Math.max(0, a - b))
    const swap = combine(single(frame.read('swapTotal')), single(frame.read('swapFree')), (total, rest) => total - rest)
    const hasSwap = single(frame.read('swapTotal'))?.values.some((value) => value > 0) === true
    return [
      ...line(usedMemory(frame), 'used', en.series.used, 's1'),
      ...line(reclaimable, 'cache', en.series.cache, 'neutral'),
      ...line(free, 'free', en.series.free, 'faint'),
      ...(hasSwap ? line(swap, 'swap', en.series.swap, 's6').map((each) => ({ ...each, aside: true })) : []),
    ]
  },
}

/** What is not available to a program that asks for memory: the same number as on the card. */
function usedMemory(frame: Frame): Column | undefined {
  return combine(single(frame.read('total')), single(frame.read('available')), (total, available) => total - available)
}

export const load: ChartSpec = {
  id: 'load', title: en.charts.load, unit: 'count', kind: 'lines', reduce: 'max',
  queries: {
    load1: gauge('system_load1'), load5: gauge('system_load5'), load15: gauge('system_load15'),
    running: gauge('system_processes_running'), blocked: gauge('system_processes_blocked'),
  },
  needs: ['system_load1'], absent: en.absent.load, usual: { query: gauge('system_load1'), label: en.series.load1 },
  scope: (host) => (host?.cpu_count ? en.charts.cpus(host.cpu_count) : ''),
  lines: (frame) => [
    ...line(single(frame.read('running')), 'running', en.series.running, 's5'),
    ...line(single(frame.read('blocked')), 'blocked', en.series.blocked, 's8'),
    ...line(single(frame.read('load15')), 'load15', en.series.load15, 's6'),
    ...line(single(frame.read('load5')), 'load5', en.series.load5, 's2'),
    ...line(single(frame.read('load1')), 'load1', en.series.load1, 's1'),
  ].reverse(),
}

export const pressure: ChartSpec = {
  id: 'pressure', title: en.charts.pressure, unit: 'percent', kind: 'lines', reduce: 'max',
  queries: {
    ioSome: rate('pressure_io_some_seconds_total'), cpuSome: rate('pressure_cpu_some_seconds_total'), memorySome: rate('pressure_memory_some_seconds_total'),
    ioFull: rate('pressure_io_full_seconds_total'), memoryFull: rate('pressure_memory_full_seconds_total'),
  },
  needs: ['pressure_cpu_some_seconds_total', 'pressure_io_some_seconds_total'], absent: en.absent.pressure,
  top: () => 100,
  scope: () => en.charts.someFull,
  lines: (frame) =>
    ([['ioSome', 's1'], ['cpuSome', 's2'], ['memorySome', 's3'], ['ioFull', 's5'], ['memoryFull', 's6']] as const).flatMap(([name, color]) => {
      const column = single(frame.read(name))
      return column === undefined ? [] : line(map(column, percent), name, en.series[name], color)
    }),
}

/** Two clocks are read one after the other: a share of time can come out a little above one. */
const percent = (share: number) => Math.min(share * 100, 100)

export const cores: ChartSpec = {
  id: 'cores', title: en.charts.cores, unit: 'percent', kind: 'heat', reduce: 'avg',
  queries: {
    idle: { ...rate('cpu_seconds_total', 'cpu'), match: { mode: 'idle' }, together: true },
    waiting: { ...rate('cpu_seconds_total', 'cpu'), match: { mode: 'iowait' }, together: true },
  },
  needs: ['cpu_seconds_total'], absent: en.absent.cores,
  top: () => 100,
  scope: (host) => (host?.cpu_count ? en.charts.cpus(host.cpu_count) : ''),
  lines(frame) {
    const waiting = frame.read('waiting')
    const busy = frame.read('idle').map((idle) => {
      const wait = waiting.find((each) => each.labels.cpu === idle.labels.cpu)
      return { labels: idle.labels, values: idle.values.map((value, i) => Math.min(100, Math.max(0, 100 * (1 - value - (wait?.values[i] || 0))))) }
    })
    return busy
      .sort((a, b) => Number(a.labels.cpu) - Number(b.labels.cpu))
      .map((each) => ({ ...each, key: each.labels.cpu ?? '', label: each.labels.cpu ?? '', color: 's1' }))
  },
}

const names = en.series

export const commit = parts('memory-commit', en.charts.commit, 'bytes', [
  { name: 'committed', query: gauge('memory_committed_bytes'), label: names.committed, color: 's1' },
  { name: 'limit', query: gauge('memory_commit_limit_bytes'), label: names.limit, color: 's8' },
])

export const memoryUse = parts('memory-use', en.charts.memoryUse, 'bytes', [
  { name: 'anonymous', query: gauge('memory_anonymous_bytes'), label: names.anonymous, color: 's1' },
  { name: 'cached', query: gauge('memory_cached_bytes'), label: names.cached, color: 's2' },
  { name: 'shared', query: gauge('memory_shared_bytes'), label: names.shared, color: 's6' },
  { name: 'paged', query: gauge('memory_pool_paged_bytes'), label: names.poolPaged, color: 's5' },
  { name: 'nonpaged', query: gauge('memory_pool_nonpaged_bytes'), label: names.poolNonpaged, color: 's3' },
  { name: 'dirty', query: gauge('memory_dirty_bytes'), label: names.dirty, color: 's4' },
  { name: 'writeback', query: gauge('memory_writeback_bytes'), label: names.writeback, color: 's8' },
])

export const faults = parts('memory-faults', en.charts.faults, 'countRate', [
  { name: 'faults', query: rate('memory_page_faults_total'), label: names.pageFaults, color: 's1' },
  { name: 'major', query: rate('memory_major_page_faults_total'), label: names.majorFaults, color: 's3' },
  { name: 'refaults', query: rate('memory_cache_refaults_total'), label: names.refaults, color: 's4' },
])

export const swapping = parts('memory-swapping', en.charts.swapping, 'countRate', [
  { name: 'in', query: rate('memory_swap_in_pages_total'), label: names.swapIn, color: 's1' },
  { name: 'out', query: rate('memory_swap_out_pages_total'), label: names.swapOut, color: 's2' },
])

export const pageFiles = instances('paging-files', en.charts.pageFiles, 'bytes', {
  query: { metric: 'paging_file_used_bytes', by: ['file'] }, label: 'file', rest: { how: 'sum', label: en.charts.others },
})

export const frequency = instances('cpu-frequency', en.charts.frequency, 'hertz', {
  query: { metric: 'cpu_frequency_hertz', by: ['cpu'] }, label: 'cpu', rest: { how: 'max', label: en.charts.fastestOther },
}, { reduce: 'avg' })

export const interrupts = parts('interrupts', en.charts.interrupts, 'countRate', [
  { name: 'soft', query: rate('system_soft_interrupts_total'), label: names.softInterrupts, color: 's2' },
  { name: 'timer', query: sum('cpu_timer_interrupts_total'), label: names.timerInterrupts, color: 's5' },
])
