import type { Unit } from '../../lib/format'
import { tokens } from '../../lib/promql/text'

/** A query that is to become a rule, and the value above which it is to fire if it compares nothing itself. */
export interface Asked {
  query: string
  above: number
}

const COMPARISON = /^(?:[<>]=?|[=!]=)$/
const MARGIN = 1.1
/** A share cannot be more than all. */
const MOST_PERCENT = 95

/** Somewhat above what was seen, as people would write it. */
export function aboveOf(highest: number, unit: Unit): number {
  if (!Number.isFinite(highest)) return 0
  const above = Number((highest * MARGIN).toPrecision(2))
  return unit === 'percent' ? Math.min(above, MOST_PERCENT) : above
}

/** A document with a rule of each query. */
export function rulesOf(asked: readonly Asked[]): string {
  const rules = asked.map(({ query, above }, i) => {
    const compares = comparesIn(query)
    // What stands in quotes in JSON does so in YAML.
    const condition = compares ? [`expr: ${JSON.stringify(query)}`] : [`metric: ${JSON.stringify(query)}`, `greater_than: ${above}`]
    const fields = [`alert: Mine${i === 0 ? '' : i + 1}`, ...condition, 'for: 5m', 'severity: warning', `annotations: {summary: '{{ $labels.host }}: {{ $value | printf "%.1f" }}'}`]
    return fields.map((field, at) => `      ${at === 0 ? '-' : ' '} ${field}\n`).join('')
  })
  return `groups:\n  - name: mine\n    interval: 15s\n    rules:\n${rules.join('')}`
}

/** Inside of braces, matchers stand. */
function comparesIn(query: string): boolean {
  let braces = 0
  for (const { kind, text } of tokens(query)) {
    if (kind === 'plain') braces += text === '{' ? 1 : text === '}' ? -1 : 0
    else if (kind === 'operator' && braces <= 0 && COMPARISON.test(text)) return true
  }
  return false
}

/** For the address. */
export const askedText = (asked: readonly Asked[]): string => JSON.stringify(asked.map(({ query, above }) => [query, above]))

/** What `askedText` wrote; `null` where there is nothing of it. */
export function askedFrom(text: string | undefined): Asked[] | null {
  const found = pairs(text).flatMap((each): Asked[] => {
    const [query, above] = Array.isArray(each) ? (each as unknown[]) : []
    return typeof query === 'string' && typeof above === 'number' ? [{ query, above }] : []
  })
  return found.length > 0 ? found : null
}

function pairs(text: string | undefined): unknown[] {
  try {
    const read: unknown = JSON.parse(text ?? '')
    return Array.isArray(read) ? read : []
  } catch {
    return []
  }
}
