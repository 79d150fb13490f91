/** The processes, as docs/api/http.md describes them. */

export interface Process {
  pid: number
  parent: number
  started_ms: number | null
  name: string
  path: string | null
  command_line: string | null
  user: string | null
  service: string | null
  cgroup: string | null
  state: string
  cpu_percent: number | null
  cpu_user_percent: number | null
  cpu_privileged_percent: number | null
  working_set_bytes: number
  virtual_bytes: number
  page_file_bytes: number | null
  threads: number
  handles: number | null
  read_bytes_per_second: number | null
  written_bytes_per_second: number | null
}

export interface Processes {
  time_ms: number
  total: number
  complete: boolean
  denied: number
  processes: Process[]
  events?: { source: string; why: string | null }
}

/** A number alone is used again; together with the start it is one process. */
export function keyOf({ pid, started_ms }: Process): string {
  return `${pid}-${started_ms ?? 0}`
}

export function ioOf({ read_bytes_per_second: read, written_bytes_per_second: written }: Process): number | null {
  return read === null && written === null ? null : (read ?? 0) + (written ?? 0)
}

/** What it was started with; the name where the system does not tell that. */
export function commandOf({ command_line, path, name }: Process): string {
  return command_line || path || name
}

/** The chain of parents, the nearest first. A number that was given to a younger process is no parent. */
export function parentsOf(one: Process, all: readonly Process[]): Process[] {
  const chain: Process[] = []
  let at = one
  while (chain.length < 64) {
    const parent = all.find((each) => each.pid === at.parent && each.pid !== at.pid && (each.started_ms ?? 0) <= (at.started_ms ?? Infinity))
    if (parent === undefined || chain.includes(parent) || parent === one) break
    chain.push(parent)
    at = parent
  }
  return chain
}

export function fitsFilter(one: Process, words: readonly string[]): boolean {
  const text = [one.name, one.command_line, one.path, one.user, one.service, one.cgroup, one.state, String(one.pid)].join('\n').toLowerCase()
  return words.every((word) => text.includes(word))
}

/** The words of a filter: all of them have to be found. */
export function words(filter: string): string[] {
  return filter.toLowerCase().split(/\s+/).filter((word) => word !== '')
}

export function addressOf(atMs: number | null): string {
  return atMs === null ? '/api/processes' : `/api/processes?at=${atMs}`
}
