import { commandOf, ioOf, keyOf, type Process } from '../../data/processes'

export type View = 'list' | 'tree' | 'name' | 'user' | 'service' | 'cgroup'
export const VIEWS: readonly View[] = ['list', 'tree', 'name', 'user', 'service', 'cgroup']

/** One line of the table: a process, or several of one kind with what they use together. */
export interface Row {
  key: string
  parent: string | null
  /** `null` for a group. */
  process: Process | null
  name: string
  command: string
  members: number
  pid: number | null
  user: string | null
  state: string | null
  service: string | null
  startedMs: number | null
  cpu: number | null
  memory: number
  pageFile: number | null
  threads: number
  handles: number | null
  read: number | null
  written: number | null
  io: number | null
}

export function rowOf(process: Process, parent: string | null): Row {
  return {
    key: keyOf(process), parent, process, name: process.name, command: commandOf(process), members: 1,
    pid: process.pid, user: process.user, state: process.state, service: process.service, startedMs: process.started_ms,
    cpu: process.cpu_percent, memory: process.working_set_bytes, pageFile: process.page_file_bytes, threads: process.threads,
    handles: process.handles, read: process.read_bytes_per_second, written: process.written_bytes_per_second, io: ioOf(process),
  }
}

export function rowsOf(processes: readonly Process[], view: View, nobody: string): Row[] {
  if (view === 'list') return processes.map((each) => rowOf(each, null))
  if (view === 'tree') {
    const byPid = new Map(processes.map((each) => [each.pid, each]))
    return processes.map((each) => {
      const above = byPid.get(each.parent)
      return rowOf(each, above === undefined || above.pid === each.pid || (above.started_ms ?? 0) > (each.started_ms ?? Infinity) ? null : keyOf(above))
    })
  }
  const groups = new Map<string, Process[]>()
  for (const each of processes) {
    const name = each[view] ?? nobody
    const members = groups.get(name)
    if (members === undefined) groups.set(name, [each])
    else members.push(each)
  }
  return [...groups].flatMap(([name, members]) => {
    const key = `${view}:${name}`
    return [groupOf(key, name, members), ...members.map((each) => rowOf(each, key))]
  })
}

function groupOf(key: string, name: string, members: readonly Process[]): Row {
  const rows = members.map((each) => rowOf(each, null))
  const common = <T>(of: (row: Row) => T): T | null => (rows.every((row) => of(row) === of(rows[0] as Row)) ? of(rows[0] as Row) : null)
  const sum = (of: (row: Row) => number | null) => rows.reduce<number | null>((all, row) => (of(row) === null ? all : (all ?? 0) + (of(row) as number)), null)
  const starts = rows.map((row) => row.startedMs).filter((ms) => ms !== null)
  return {
    key, parent: null, process: null, name, command: '', members: rows.length, pid: null,
    user: common((row) => row.user), state: null, service: common((row) => row.service), startedMs: starts.length === 0 ? null : Math.min(...starts),
    cpu: sum((row) => row.cpu), memory: sum((row) => row.memory) ?? 0, pageFile: sum((row) => row.pageFile), threads: sum((row) => row.threads) ?? 0,
    handles: sum((row) => row.handles), read: sum((row) => row.read), written: sum((row) => row.written), io: sum((row) => row.io),
  }
}
