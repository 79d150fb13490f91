import { absolute, LONGEST_MS, parseSpan, SHORTEST_MS, spanText, type TimeRange } from './timerange'

export type Page = 'host' | 'status' | 'unknown'

/** Everything that the address holds: enough for two people to see the same. */
export interface Route {
  page: Page
  /** `null` is the default: the last quarter of an hour, or everything while there is less. */
  range: TimeRange | null
  /** The pinned moment, in milliseconds. */
  pinMs: number | null
}

const PATHS: Record<string, Page> = { '/': 'host', '/status': 'status' }

export function parseRoute(url: URL): Route {
  const path = url.pathname.length > 1 ? url.pathname.replace(/\/+$/, '') : url.pathname
  return { page: PATHS[path] ?? 'unknown', range: parseRangeParams(url.searchParams), pinMs: parseTime(url.searchParams.get('pin')) }
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
  const ms = /^\d{12,14}$/.test(value) ? Number(value) : Date.parse(value)
  return Number.isFinite(ms) && ms >= 0 ? ms : null
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

/** The address of a route; what is default is left out. */
export function href(route: Route): string {
  const path = route.page === 'status' ? '/status' : '/'
  const parts: string[] = []
  const { range } = route
  if (range?.kind === 'all') parts.push('from=all')
  else if (range?.kind === 'absolute') parts.push(`from=${timeText(range.fromMs)}`, `to=${timeText(range.toMs)}`)
  else if (range !== null) parts.push(`from=now-${spanText(range.spanMs)}`)
  if (route.pinMs !== null) parts.push(`pin=${timeText(route.pinMs)}`)
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`
}
