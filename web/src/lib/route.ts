import { absolute, LONGEST_MS, parseSpan, SHORTEST_MS, spanText, type TimeRange } from './timerange'

/** Every page and its address. What a page is called and made of stands in `pages/table.ts`. */
const PATHS = {
  overview: '/overview',
  host: '/',
  processes: '/processes',
  services: '/services',
  disks: '/disks',
  network: '/network',
  events: '/events',
  inventory: '/inventory',
  alerts: '/alerts',
  rules: '/rules',
  configuration: '/configuration',
  explore: '/explore',
  dashboards: '/dashboards',
  status: '/status',
} as const

export type Page = keyof typeof PATHS

/** Everything that the address holds: enough for two people to see the same. */
export interface Route {
  page: Page | 'unknown'
  /** `null` is the default: the last quarter of an hour, or everything while there is less. */
  range: TimeRange | null
  /** The pinned moment, in milliseconds. */
  pinMs: number | null
  /** How far back the span lies that is drawn for comparison, in milliseconds. */
  compareMs: number | null
  /** What only this page understands: its order, its filter, what is selected. */
  view: Readonly<Record<string, string>>
}

/** A link that somebody made up does not fill the memory. */
const MOST_KEYS = 16
export const LONGEST_VALUE = 4000
const COMMON = new Set(['from', 'to', 'pin', 'cmp'])

export function parseRoute(url: URL): Route {
  const path = url.pathname.length > 1 ? url.pathname.replace(/\/+$/, '') : url.pathname
  const page = (Object.keys(PATHS) as Page[]).find((each) => PATHS[each] === path) ?? 'unknown'
  const own = [...url.searchParams].filter(([key, value]) => !COMMON.has(key) && value.length <= LONGEST_VALUE)
  return {
    page,
    range: parseRangeParams(url.searchParams),
    pinMs: parseTime(url.searchParams.get('pin')),
    compareMs: parseCompare(url.searchParams.get('cmp')),
    view: Object.fromEntries(own.slice(0, MOST_KEYS)),
  }
}

/** Unreadable parameters fall back to the default range: an old or broken link still opens. */
function parseRangeParams(params: URLSearchParams): TimeRange | null {
  const from = params.get('from')
  if (from === null) return null
  if (from === 'all') return { kind: 'all' }
  if (from.startsWith('now-')) {
    const spanMs = parseSpan(from.slice(4))
    return spanMs >= SHORTEST_MS && spanMs <= LONGEST_MS ? { kind: 'relative', spanMs } : null
  }
  const [fromMs, toMs] = [parseTime(from), parseTime(params.get('to'))]
  if (fromMs === null || toMs === null) return null
  const parsed = absolute(fromMs, toMs)
  return parsed.ok ? parsed.range : null
}

function parseTime(value: string | null): number | null {
  if (value === null || value === '') return null
  // `Date.parse` finds a date in almost any text that holds a number.
  const ms = /^\d{12,14}$/.test(value) ? Number(value) : /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isFinite(ms) && ms >= 0 ? ms : null
}

function parseCompare(value: string | null): number | null {
  const ms = value === null ? Number.NaN : parseSpan(value)
  return ms >= SHORTEST_MS && ms <= LONGEST_MS ? ms : null
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

/** The address of a route; what is default is left out. */
export function href(route: Route): string {
  const path = route.page === 'unknown' ? '/' : PATHS[route.page]
  const parts: string[] = []
  const { range } = route
  if (range?.kind === 'all') parts.push('from=all')
  else if (range?.kind === 'absolute') parts.push(`from=${timeText(range.fromMs)}`, `to=${timeText(range.toMs)}`)
  else if (range !== null) parts.push(`from=now-${spanText(range.spanMs)}`)
  if (route.pinMs !== null) parts.push(`pin=${timeText(route.pinMs)}`)
  if (route.compareMs !== null) parts.push(`cmp=${spanText(route.compareMs)}`)
  for (const [key, value] of Object.entries(route.view)) if (value !== '') parts.push(`${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`
}
