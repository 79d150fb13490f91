import type { HostInfo } from '../../data/protocol'
import { en } from '../../en'
import { duration, MISSING, text } from '../../lib/format'
import type { Column } from '../../tables/columns'
import type { Row } from './rows'

const names = en.processes.columns
/** Below this, input and output do not shade a cell. */
const BUSY_BYTES = 50 * 2 ** 20

/** Shades small shares, too: a process at a tenth of a processor should be seen. */
const share = (part: number | null, whole: number) => (part === null || whole <= 0 ? 0 : Math.sqrt(Math.max(0, part) / whole))

export function processColumns(host: HostInfo | null, atMs: number): Column<Row>[] {
  const windows = host?.os === 'windows'
  const memory = host?.memory_bytes ?? 0
  const age = (row: Row) => (row.startedMs === null ? null : atMs - row.startedMs)
  return [
    { id: 'name', title: names.name, width: 150, grow: 1.2, value: (row) => row.name, text: (row) => (row.members > 1 || row.process === null ? `${row.name} (${row.members})` : row.name) },
    { id: 'pid', title: names.pid, width: 64, right: true, value: (row) => row.pid, text: (row) => (row.pid === null ? '' : String(row.pid)), from: 560 },
    { id: 'user', title: names.user, width: 96, value: (row) => row.user, text: (row) => row.user ?? '', from: 760 },
    {
      id: 'cpu', title: names.cpu, hint: en.processes.cpuHint, width: 74, right: true, largestFirst: true, value: (row) => row.cpu,
      text: (row) => number(row.cpu, 'percent'), load: (row) => share(row.cpu, 100),
    },
    {
      id: 'memory', title: names.memory, hint: en.processes.memoryHint, width: 84, right: true, largestFirst: true, value: (row) => row.memory,
      text: (row) => number(row.memory, 'bytes'), load: (row) => share(row.memory, memory),
    },
    {
      id: 'read', title: names.read, width: 86, right: true, largestFirst: true, value: (row) => row.read, from: 640,
      text: (row) => number(row.read, 'byteRate'), load: (row) => share(row.read, BUSY_BYTES),
    },
    {
      id: 'written', title: names.written, width: 86, right: true, largestFirst: true, value: (row) => row.written, from: 640,
      text: (row) => number(row.written, 'byteRate'), load: (row) => share(row.written, BUSY_BYTES),
    },
    { id: 'io', title: names.io, hint: en.processes.ioHint, width: 84, right: true, largestFirst: true, value: (row) => row.io, text: (row) => number(row.io, 'byteRate'), from: 1060 },
    { id: 'threads', title: names.threads, width: 70, right: true, largestFirst: true, value: (row) => row.threads, text: (row) => text(row.threads, 'count'), from: 860 },
    {
      id: 'handles', title: windows ? names.handles : names.files, width: 70, right: true, largestFirst: true, value: (row) => row.handles,
      text: (row) => text(row.handles, 'count'), from: 1060,
    },
    {
      id: 'pageFile', title: windows ? names.commit : names.swap, width: 76, right: true, largestFirst: true, value: (row) => row.pageFile,
      text: (row) => number(row.pageFile, 'bytes'), from: 1160,
    },
    { id: 'age', title: names.age, hint: en.processes.ageHint, width: 88, right: true, value: age, text: (row) => (age(row) === null ? MISSING : duration(age(row) as number)), from: 960 },
    { id: 'state', title: names.state, width: 82, value: (row) => row.state, text: (row) => (row.state === null ? '' : (en.processes.states[row.state] ?? row.state)), from: 1260 },
    { id: 'command', title: names.command, width: 160, grow: 3, mono: true, value: (row) => row.command, text: (row) => row.command, from: 760 },
  ]
}

/** Zeros are quiet, so that what works stands out. */
function number(value: number | null, unit: Parameters<typeof text>[1]): string {
  return value === 0 ? '0' : text(value, unit)
}
