/** The counters of each object, by lower-case names, with the longest counter first. */
export type CounterNames = ReadonlyMap<string, readonly string[]>

const PARTS = /^\\([^\\(]+)(?:\([^)]*\))?\\(.+)$/

export function counterNames(paths: Iterable<string>): CounterNames {
  const found = new Map<string, string[]>()
  for (const path of paths) {
    const [, object, counter] = PARTS.exec(path) ?? []
    if (object === undefined || counter === undefined) continue
    const names = found.get(object.toLowerCase()) ?? []
    names.push(counter.toLowerCase())
    found.set(object.toLowerCase(), names)
  }
  for (const names of found.values()) names.sort((a, b) => b.length - a.length)
  return found
}

/**
 * Where a counter path ends that begins at a backslash: with the longest name of a counter that its object has, as the server
 * reads it; at the end of its line when there is none.
 */
export function pathEnd(text: string, from: number, names: CounterNames): number {
  const end = text.indexOf('\n', from)
  const line = text.slice(from, end < 0 ? undefined : end)
  const machine = line.startsWith('\\\\') ? line.indexOf('\\', 2) : 0
  const [head, object] = machine < 0 ? [] : (/^\\([^\\(]+)/.exec(line.slice(machine)) ?? [])
  if (head !== undefined && object !== undefined) {
    const at = afterInstance(line, machine + head.length)
    const counter = line[at] === '\\' ? line.slice(at + 1).toLowerCase() : ''
    const name = names.get(object.toLowerCase())?.find((each) => counter.startsWith(each) && !/^[\p{L}\p{N}_]/u.test(counter.slice(each.length)))
    if (name !== undefined) return from + at + 1 + name.length
  }
  return from + line.trimEnd().length
}

/** Past the brackets that open here, if any; a backslash takes the meaning from the next character. */
function afterInstance(line: string, open: number): number {
  if (line[open] !== '(') return open
  let depth = 0
  for (let i = open; i < line.length; i++) {
    if (line[i] === '\\') i += 1
    else if (line[i] === '(') depth += 1
    else if (line[i] === ')' && --depth === 0) return i + 1
  }
  return line.length
}
