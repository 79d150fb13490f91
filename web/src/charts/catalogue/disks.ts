import { en } from '../../en'
import { gauge, instances, rate } from '../build'
import { combine, join, line, map, perInstance, single, type ChartSpec, type Column } from '../spec'

/** Two clocks are read one after the other: a share of time can come out a little above one. */
const percent = (share: number) => Math.min(share * 100, 100)

export const throughput: ChartSpec = {
  id: 'disk-throughput', title: en.charts.throughput, unit: 'byteRate', kind: 'lines', reduce: 'max',
  queries: { read: rate('disk_read_bytes'), write: rate('disk_write_bytes') },
  needs: ['disk_read_bytes', 'disk_write_bytes'], absent: en.absent.throughput,
  scope: () => en.charts.allDisks, usual: { query: rate('disk_write_bytes'), label: en.series.write },
  lines: (frame) => [...line(single(frame.read('read')), 'read', en.series.read, 's1'), ...line(single(frame.read('write')), 'write', en.series.write, 's2')],
}

export const operations: ChartSpec = {
  id: 'disk-operations', title: en.charts.operations, unit: 'countRate', kind: 'lines', reduce: 'max',
  queries: { reads: gauge('disk_reads'), writes: gauge('disk_writes') },
  needs: ['disk_reads', 'disk_writes'], absent: en.absent.operations,
  scope: () => en.charts.allDisks, usual: { query: gauge('disk_writes'), label: en.series.writes },
  lines: (frame) => [...line(single(frame.read('reads')), 'reads', en.series.reads, 's1'), ...line(single(frame.read('writes')), 'writes', en.series.writes, 's2')],
}

export const busy: ChartSpec = {
  id: 'disk-busy', title: en.charts.busy, unit: 'percent', kind: 'lines', reduce: 'max',
  queries: { busy: rate('disk_busy_seconds_total', 'disk') },
  needs: ['disk_busy_seconds_total'], absent: en.absent.busy, instance: 'disk',
  top: () => 100,
  scope: () => en.charts.perDisk,
  usual: { query: { metric: 'disk_busy_seconds_total', rate: true, by: [], agg: 'max' }, label: en.charts.busiest, at: percent },
  lines: (frame) =>
    perInstance(frame, 'disk', frame.read('busy').map((column) => map(column, percent)), 'disk', { how: 'max', label: en.charts.busiestOther }),
}

export const latency: ChartSpec = {
  id: 'disk-latency', title: en.charts.latency, unit: 'seconds', kind: 'lines', reduce: 'avg',
  queries: {
    readTime: rate('disk_read_seconds_total', 'disk'), writeTime: rate('disk_write_seconds_total', 'disk'),
    reads: rate('disk_reads_total', 'disk'), writes: rate('disk_writes_total', 'disk'),
  },
  needs: ['disk_read_seconds_total', 'disk_write_seconds_total'], absent: en.absent.latency, instance: 'disk',
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

const sums = { how: 'sum', label: en.charts.others } as const

export const queue = instances('disk-queue', en.charts.queue, 'count', { query: { metric: 'disk_queue_length', by: ['disk'] }, label: 'disk', rest: sums }, { scope: () => en.charts.perDisk })
export const readPerDisk = instances('disk-read', en.charts.readPerDisk, 'byteRate', { query: rate('disk_read_bytes_total', 'disk'), label: 'disk', rest: sums }, { scope: () => en.charts.perDisk })
export const writtenPerDisk = instances('disk-written', en.charts.writtenPerDisk, 'byteRate', { query: rate('disk_written_bytes_total', 'disk'), label: 'disk', rest: sums }, { scope: () => en.charts.perDisk })
export const readPerVolume = instances('volume-read', en.charts.readPerVolume, 'byteRate', { query: rate('filesystem_read_bytes_total', 'mountpoint'), label: 'mountpoint', rest: sums })
export const writtenPerVolume = instances('volume-written', en.charts.writtenPerVolume, 'byteRate', { query: rate('filesystem_written_bytes_total', 'mountpoint'), label: 'mountpoint', rest: sums })
