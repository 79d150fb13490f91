import { en } from '../en'
import type { Query } from '../data/protocol'
import { combine, join, line, map, perInstance, single, type ChartSpec, type Column, type Frame, type Line } from './spec'

const rate = (metric: string, by?: string): Query => (by === undefined ? { metric, rate: true } : { metric, rate: true, by: [by] })
const gauge = (metric: string): Query => ({ metric })

export interface Section {
  id: string
  title: string
  charts: ChartSpec[]
}

/** Bottom-up, the ones that people look for first; idle is what is left. */
const MODES = [
  ['user', 's1'], ['system', 's2'], ['iowait', 's4'], ['steal', 's6'], ['nice', 's5'], ['irq', 's3'], ['softirq', 's8'],
] as const

const cpu: ChartSpec = {
  id: 'cpu', title: en.charts.cpu, unit: 'percent', kind: 'stack', reduce: 'avg', aggregation: en.charts.meanAndPeak,
  queries: { modes: rate('cpu_seconds_total', 'mode'), usage: gauge('cpu_usage') },
  needs: ['cpu_seconds_total'], absent: en.absent.cpu,
  top: () => 100,
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

const memory: ChartSpec = {
  id: 'memory', title: en.charts.memory, unit: 'bytes', kind: 'stack', reduce: 'avg',
  queries: {
    total: gauge('memory_total_bytes'), available: gauge('memory_available_bytes'), free: gauge('memory_free_bytes'),
    swapTotal: gauge('memory_swap_total_bytes'), swapFree: gauge('memory_swap_free_bytes'),
  },
  needs: ['memory_available_bytes'], absent: en.absent.memory,
  top: (host) => host?.memory_bytes ?? null,
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

const load: ChartSpec = {
  id: 'load', title: en.charts.load, unit: 'count', kind: 'lines', reduce: 'max',
  queries: {
    load1: gauge('system_load1'), load5: gauge('system_load5'), load15: gauge('system_load15'),
    running: gauge('system_processes_running'), blocked: gauge('system_processes_blocked'),
  },
  needs: ['system_load1'], absent: en.absent.load,
  scope: (host) => (host?.cpu_count ? en.charts.cpus(host.cpu_count) : ''),
  lines: (frame) => [
    ...line(single(frame.read('running')), 'running', en.series.running, 's5'),
    ...line(single(frame.read('blocked')), 'blocked', en.series.blocked, 's8'),
    ...line(single(frame.read('load15')), 'load15', en.series.load15, 's6'),
    ...line(single(frame.read('load5')), 'load5', en.series.load5, 's2'),
    ...line(single(frame.read('load1')), 'load1', en.series.load1, 's1'),
  ].reverse(),
}

const pressure: ChartSpec = {
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

const cores: ChartSpec = {
  id: 'cores', title: en.charts.cores, unit: 'percent', kind: 'heat', reduce: 'avg',
  queries: {
    idle: { ...rate('cpu_seconds_total', 'cpu'), match: { mode: 'idle' } },
    waiting: { ...rate('cpu_seconds_total', 'cpu'), match: { mode: 'iowait' } },
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

const throughput: ChartSpec = {
  id: 'disk-throughput', title: en.charts.throughput, unit: 'byteRate', kind: 'lines', reduce: 'max',
  queries: { read: rate('disk_read_bytes'), write: rate('disk_write_bytes') },
  needs: ['disk_read_bytes', 'disk_write_bytes'], absent: en.absent.throughput,
  scope: () => en.charts.allDisks,
  lines: (frame) => [...line(single(frame.read('read')), 'read', en.series.read, 's1'), ...line(single(frame.read('write')), 'write', en.series.write, 's2')],
}

const operations: ChartSpec = {
  id: 'disk-operations', title: en.charts.operations, unit: 'countRate', kind: 'lines', reduce: 'max',
  queries: { reads: gauge('disk_reads'), writes: gauge('disk_writes') },
  needs: ['disk_reads', 'disk_writes'], absent: en.absent.operations,
  scope: () => en.charts.allDisks,
  lines: (frame) => [...line(single(frame.read('reads')), 'reads', en.series.reads, 's1'), ...line(single(frame.read('writes')), 'writes', en.series.writes, 's2')],
}

const busy: ChartSpec = {
  id: 'disk-busy', title: en.charts.busy, unit: 'percent', kind: 'lines', reduce: 'max',
  queries: { busy: rate('disk_busy_seconds_total', 'disk') },
  needs: ['disk_busy_seconds_total'], absent: en.absent.busy,
  top: () => 100,
  scope: () => en.charts.perDisk,
  lines: (frame) =>
    perInstance(frame, 'disk', frame.read('busy').map((column) => map(column, percent)), 'disk', { how: 'max', label: en.charts.busiestOther }),
}

const latency: ChartSpec = {
  id: 'disk-latency', title: en.charts.latency, unit: 'seconds', kind: 'lines', reduce: 'avg',
  queries: {
    readTime: rate('disk_read_seconds_total', 'disk'), writeTime: rate('disk_write_seconds_total', 'disk'),
    reads: rate('disk_reads_total', 'disk'), writes: rate('disk_writes_total', 'disk'),
  },
  needs: ['disk_read_seconds_total', 'disk_write_seconds_total'], absent: en.absent.latency,
  scope: () => en.charts.perRequest,
  lines(frame) {
    // Means of the same bucket belong together; the peaks of time and of requests would not.
    const [readTime, writeTime, reads, writes] = (['readTime', 'writeTime', 'reads', 'writes'] as const).map((name) => frame.read(name))
    const pick = (columns: Column[] | undefined, disk: string | undefined) => columns?.find((column) => column.labels.disk === disk)
    const columns = (readTime ?? []).flatMap(({ labels }) => {
      const of = (all: Column[] | undefined) => pick(all, labels.disk)
      const time = join([of(readTime), of(writeTime)].filter((column) => column !== undefined), 'sum')
      const requests = join([of(reads), of(writes)].filter((column) => column !== undefined), 'sum')
      const each = combine(time, requests, (seconds, count) => (count === 0 ? 0 : seconds / count))
      return each === undefined ? [] : [{ ...each, labels }]
    })
    return perInstance(frame, 'disk', columns, 'disk', { how: 'max', label: en.charts.busiestOther })
  },
}

const bits = (bytes: number) => bytes * 8

const network: ChartSpec = {
  id: 'network', title: en.charts.network, unit: 'bitRate', kind: 'lines', reduce: 'max',
  queries: { received: { ...rate('network_bytes_recv'), match: { adapter: '' } }, sent: { ...rate('network_bytes_sent'), match: { adapter: '' } } },
  needs: ['network_bytes_recv', 'network_bytes_sent'], absent: en.absent.network,
  scope: () => en.charts.allAdapters,
  lines: (frame) =>
    ([['received', 's1'], ['sent', 's2']] as const).flatMap(([name, color]) => {
      const column = single(frame.read(name))
      return column === undefined ? [] : line(map(column, bits), name, en.series[name], color)
    }),
}

const errors: ChartSpec = {
  id: 'network-errors', title: en.charts.errors, unit: 'countRate', kind: 'lines', reduce: 'max',
  queries: Object.fromEntries(
    ([['receiveErrors', 'network_receive_errors_total'], ['sendErrors', 'network_transmit_errors_total'], ['receiveDrops', 'network_receive_dropped_total'], ['sendDrops', 'network_transmit_dropped_total']] as const)
      .map(([name, metric]) => [name, { metric, rate: true, by: [] }]),
  ),
  needs: ['network_receive_errors_total', 'network_receive_dropped_total'], absent: en.absent.errors,
  scope: () => en.charts.allAdapters,
  lines: (frame) =>
    ([['receiveErrors', 's3'], ['sendErrors', 's6'], ['receiveDrops', 's4'], ['sendDrops', 's8']] as const).flatMap(([name, color]) =>
      line(single(frame.read(name)), name, en.series[name], color),
    ),
}

function perAdapter(id: string, title: string, metric: string): ChartSpec {
  return {
    id, title, unit: 'bitRate', kind: 'lines', reduce: 'max',
    queries: { bytes: rate(metric, 'adapter') },
    needs: [metric], absent: en.absent.adapters,
    lines: (frame) =>
      perInstance(frame, 'adapter', frame.read('bytes').map((column) => map(column, bits)), 'adapter', { how: 'sum', label: en.charts.others }),
  }
}

const processes: ChartSpec = {
  id: 'processes', title: en.charts.processes, unit: 'count', kind: 'lines', reduce: 'max',
  queries: { processes: gauge('process_count'), threads: gauge('thread_count') },
  needs: ['process_count', 'thread_count'], absent: en.absent.processes,
  lines: (frame) => [
    ...line(single(frame.read('processes')), 'processes', en.series.processes, 's1'),
    ...line(single(frame.read('threads')), 'threads', en.series.threads, 's2'),
  ],
}

const switches: ChartSpec = {
  id: 'switches', title: en.charts.switches, unit: 'countRate', kind: 'lines', reduce: 'max',
  queries: { switches: rate('system_context_switches_total'), interrupts: rate('system_interrupts_total') },
  needs: ['system_context_switches_total', 'system_interrupts_total'], absent: en.absent.switches,
  lines: (frame) => [
    ...line(single(frame.read('switches')), 'switches', en.series.switches, 's1'),
    ...line(single(frame.read('interrupts')), 'interrupts', en.series.interrupts, 's2'),
  ],
}

/** What a moment is chosen on, beside the processes. */
export const MOMENT_CHARTS: readonly ChartSpec[] = [cpu, memory]

/** The host page, top to bottom. To add a chart, add its description here. */
export const SECTIONS: Section[] = [
  { id: 'processor', title: en.sections.processor, charts: [cpu, memory, load, pressure, cores] },
  { id: 'disks', title: en.sections.disks, charts: [throughput, operations, busy, latency] },
  {
    id: 'network', title: en.sections.network,
    charts: [network, errors, perAdapter('received', en.charts.received, 'network_receive_bytes_total'), perAdapter('sent', en.charts.sent, 'network_transmit_bytes_total')],
  },
  { id: 'kernel', title: en.sections.kernel, charts: [processes, switches] },
]
