import { map, single, type Column, type Frame } from '../charts/spec'
import { en } from '../en'
import type { Query } from '../data/protocol'
import { text, type Unit } from '../lib/format'

/** The headline cards: what is read, and how it is said. */
export interface CardSpec {
  id: string
  title: string
  unit: Unit
  queries: Record<string, Query>
  needs: readonly string[]
  top?: number
  value(frame: Frame): Column | undefined
  detail(frame: Frame): string
}

const GIB = 2 ** 30
/** The series of the host as a whole is the one without the label. */
const ALL_ADAPTERS = { adapter: '' }
const newest = (column: Column | undefined) => column?.values.at(-1) ?? Number.NaN
const said = (column: Column | undefined, unit: Unit, factor = 1) => text(newest(column) * factor, unit)

/** The fullest drive: an average over drives would hide it. */
export function fullest(frame: Frame): Column | undefined {
  return frame
    .read('percent')
    .filter((column) => column.labels.drive !== undefined)
    .reduce<Column | undefined>((worst, column) => (worst === undefined || newest(column) > newest(worst) ? column : worst), undefined)
}

export const CARDS: readonly CardSpec[] = [
  {
    id: 'cpu', title: en.cards.cpu, unit: 'percent', top: 100, needs: ['cpu_usage'],
    queries: { usage: { metric: 'cpu_usage' }, modes: { metric: 'cpu_seconds_total', rate: true, by: ['mode'] } },
    value: (frame) => single(frame.read('usage')),
    detail: (frame) => {
      const share = 100 / (frame.host?.cpu_count ?? 1)
      const busy = frame.read('modes').filter((column) => column.labels.mode !== 'idle' && !Number.isNaN(newest(column)))
      const largest = busy.sort((a, b) => newest(b) - newest(a)).slice(0, 2)
      return largest.map((column) => `${column.labels.mode ?? ''} ${said(column, 'percent', share)}`).join(' · ')
    },
  },
  {
    id: 'memory', title: en.cards.memory, unit: 'percent', top: 100, needs: ['memory_percent'],
    queries: { percent: { metric: 'memory_percent' } },
    value: (frame) => single(frame.read('percent')),
    detail: (frame) => {
      const size = frame.host?.memory_bytes ?? null
      return size === null ? '' : en.cards.memoryDetail(text((newest(single(frame.read('percent'))) / 100) * size, 'bytes'), text(size, 'bytes'))
    },
  },
  {
    id: 'disk', title: en.cards.disk, unit: 'percent', top: 100, needs: ['disk_percent'],
    queries: { percent: { metric: 'disk_percent' }, free: { metric: 'disk_free_gb' } },
    value: (frame) => fullest(frame) ?? single(frame.read('percent')),
    detail: (frame) => {
      const drive = fullest(frame)?.labels.drive
      const free = frame.read('free').find((column) => column.labels.drive === drive)
      return drive === undefined || free === undefined ? '' : en.cards.diskDetail(drive, said(free, 'bytes', GIB))
    },
  },
  {
    id: 'io', title: en.cards.io, unit: 'byteRate', needs: ['disk_read_bytes', 'disk_write_bytes'],
    queries: { read: { metric: 'disk_read_bytes', rate: true }, write: { metric: 'disk_write_bytes', rate: true } },
    value: (frame) => {
      const [read, write] = [single(frame.read('read')), single(frame.read('write'))]
      return read && write ? { labels: {}, values: read.values.map((value, i) => value + (write.values[i] as number)) } : (read ?? write)
    },
    detail: (frame) => en.cards.ioDetail(said(single(frame.read('read')), 'bytes'), said(single(frame.read('write')), 'bytes')),
  },
  {
    id: 'network', title: en.cards.network, unit: 'bitRate', needs: ['network_bytes_total'],
    queries: {
      total: { metric: 'network_bytes_total', match: ALL_ADAPTERS },
      received: { metric: 'network_bytes_recv', match: ALL_ADAPTERS, rate: true },
      sent: { metric: 'network_bytes_sent', match: ALL_ADAPTERS, rate: true },
    },
    value: (frame) => {
      const total = single(frame.read('total'))
      return total && map(total, (value) => value * 8)
    },
    detail: (frame) => en.cards.networkDetail(said(single(frame.read('received')), 'bitRate', 8), said(single(frame.read('sent')), 'bitRate', 8)),
  },
  {
    id: 'load', title: en.cards.load, unit: 'count', needs: ['system_load1'],
    queries: { load: { metric: 'system_load1' }, stalled: { metric: 'pressure_io_some_seconds_total', rate: true } },
    value: (frame) => single(frame.read('load')),
    detail: (frame) => {
      const perCpu = said(single(frame.read('load')), 'count', 1 / (frame.host?.cpu_count ?? 1))
      const stalled = single(frame.read('stalled'))
      return stalled === undefined ? en.cards.loadDetail(perCpu) : en.cards.loadPressure(perCpu, said(stalled, 'percent', 100))
    },
  },
  {
    id: 'processes', title: en.cards.processes, unit: 'count', needs: ['process_count'],
    queries: { processes: { metric: 'process_count' }, threads: { metric: 'thread_count' } },
    value: (frame) => single(frame.read('processes')),
    detail: (frame) => en.cards.threads(said(single(frame.read('threads')), 'count')),
  },
]

/** Six cards make one row: processes stand in where the host has no load average. */
export function cardsFor(has: (metric: string) => boolean): CardSpec[] {
  return CARDS.filter((card) => card.needs.some(has)).slice(0, 6)
}
