import type { Query } from '../data/protocol'
import type { Unit } from '../lib/format'
import { line, map, perInstance, single, type ChartSpec, type ColorName } from './spec'

export const rate = (metric: string, by?: string): Query => (by === undefined ? { metric, rate: true } : { metric, rate: true, by: [by] })
export const gauge = (metric: string): Query => ({ metric })
/** Per-second increase over all instances. */
export const sum = (metric: string): Query => ({ metric, rate: true, by: [] })

interface Part {
  name: string
  query: Query
  label: string
  color: ColorName
  factor?: number
  /** Of several parts, the one of which is drawn what is usual. */
  usual?: boolean
}

type Rest = Partial<Pick<ChartSpec, 'scope' | 'top' | 'reduce' | 'absent'>>

function usualOf(lines: readonly Part[]): Pick<ChartSpec, 'usual'> {
  const of = lines.length === 1 ? lines[0] : lines.find(({ usual }) => usual === true)
  if (of === undefined) return {}
  const { query, label, factor = 1 } = of
  return { usual: { query, label, at: (value) => value * factor } }
}

/** One line per part: each part is one series. */
export function parts(id: string, title: string, unit: Unit, lines: readonly Part[], rest: Rest = {}): ChartSpec {
  return {
    id, title, unit, kind: 'lines', reduce: 'max', absent: '',
    queries: Object.fromEntries(lines.map(({ name, query }) => [name, query])),
    needs: lines.map(({ query }) => query.metric),
    lines: (frame) =>
      lines.flatMap(({ name, label, color, factor }) => {
        const column = single(frame.read(name))
        return column === undefined ? [] : line(factor === undefined ? column : map(column, (value) => value * factor), name, label, color)
      }),
    ...usualOf(lines),
    ...rest,
  }
}

interface Instances {
  query: Query
  /** Which label tells the instances apart. */
  label: string
  rest: { how: 'sum' | 'max'; label: string }
  factor?: number
}

/** One line per instance of one metric: the largest by name, the others joined. */
export function instances(id: string, title: string, unit: Unit, { query, label, rest: others, factor }: Instances, rest: Rest = {}): ChartSpec {
  return {
    id, title, unit, kind: 'lines', reduce: 'max', absent: '',
    queries: { all: query },
    needs: [query.metric],
    instance: label,
    lines: (frame) => {
      const columns = frame.read('all')
      return perInstance(frame, label, factor === undefined ? columns : columns.map((column) => map(column, (value) => value * factor)), label, others)
    },
    ...rest,
  }
}
