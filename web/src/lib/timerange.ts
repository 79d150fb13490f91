import type { Zone } from './format'

/** What part of the past is looked at. A relative range ends now and stays relative; an absolute one stands still. */
export type TimeRange =
  | { kind: 'relative'; spanMs: number }
  | { kind: 'all' }
  | { kind: 'absolute'; fromMs: number; toMs: number }

export type Parsed = { ok: true; range: TimeRange } | { ok: false; problem: RangeProblem }
export type RangeProblem = 'unreadable' | 'backwards' | 'tooShort' | 'tooLong' | 'noSuchTime'

export const SHORTEST_MS = 10_000
export const LONGEST_MS = 100 * 365.25 * 86_400_000

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 }
const SPAN = /^(\d{1,6}(?:\.\d{1,3})?)\s*(s|m|h|d|w|y)(?:ec(?:onds?)?|in(?:utes?)?|ours?|r|rs|ays?|eeks?|ears?)?$/
const SEPARATOR = /\s+(?:to|until|-|–)\s+|\s*\.\.\s*|\s*[–→]\s*/
const AROUND_MS = 30 * 60_000

/** Milliseconds of a span such as `15m` or `6 hours`, NaN when it is none. */
export function parseSpan(input: string): number {
  const match = SPAN.exec(input.trim().toLowerCase())
  return match ? Number(match[1]) * (UNITS[match[2] as string] as number) : Number.NaN
}

/** The shortest spelling that `parseSpan` reads back: `6h`, `90m`. */
export function spanText(spanMs: number): string {
  for (const unit of ['w', 'd', 'h', 'm'] as const) {
    const size = UNITS[unit] as number
    if (spanMs >= size && spanMs % size === 0 && !(unit === 'w' && spanMs % (30 * 86_400_000) === 0)) return `${spanMs / size}${unit}`
  }
  return `${Math.round(spanMs / 1000)}s`
}

/** Reads what a person types or pastes: `6h`, `now-6h`, `yesterday`, `03:00 to 03:20`, ISO dates, epoch numbers, `all`. */
export function parseRange(input: string, nowMs: number, zone: Zone): Parsed {
  const typed = input.trim().toLowerCase().replace(/\s+/g, ' ')
  if (typed === 'all' || typed === 'everything') return { ok: true, range: { kind: 'all' } }
  if (typed === 'today' || typed === 'yesterday') return wholeDay(typed, nowMs, zone)
  const span = parseSpan(typed.replace(/^(?:last |past )/, '').replace(/^now ?- ?/, '').replace(/ to now$/, ''))
  if (!Number.isNaN(span)) return relative(span)
  const ends = typed.split(SEPARATOR)
  if (ends.length === 1) return around(typed, nowMs, zone)
  if (ends.length !== 2) return { ok: false, problem: 'unreadable' }
  const from = parseInstant(ends[0] as string, nowMs, zone)
  const to = parseInstant(ends[1] as string, nowMs, zone, from)
  if (typeof from === 'string') return { ok: false, problem: from }
  if (typeof to === 'string') return { ok: false, problem: to }
  return absolute(from, to)
}

function relative(spanMs: number): Parsed {
  if (spanMs < SHORTEST_MS) return { ok: false, problem: 'tooShort' }
  if (spanMs > LONGEST_MS) return { ok: false, problem: 'tooLong' }
  return { ok: true, range: { kind: 'relative', spanMs } }
}

/** Checks an absolute range as `parseRange` does. */
export function absolute(fromMs: number, toMs: number): Parsed {
  if (!(fromMs >= 0) || !Number.isFinite(toMs)) return { ok: false, problem: 'noSuchTime' }
  if (toMs <= fromMs) return { ok: false, problem: 'backwards' }
  if (toMs - fromMs < SHORTEST_MS) return { ok: false, problem: 'tooShort' }
  if (toMs - fromMs > LONGEST_MS) return { ok: false, problem: 'tooLong' }
  return { ok: true, range: { kind: 'absolute', fromMs, toMs } }
}

function wholeDay(which: 'today' | 'yesterday', nowMs: number, zone: Zone): Parsed {
  const now = fields(nowMs, zone)
  const start = instant(zone, now.year, now.month, now.day)
  return which === 'today' ? absolute(start, Math.max(nowMs, start + SHORTEST_MS)) : absolute(instant(zone, now.year, now.month, now.day - 1), start)
}

/** One pasted moment shows the hour around it; one pasted day shows that day. */
function around(typed: string, nowMs: number, zone: Zone): Parsed {
  const at = parseInstant(typed, nowMs, zone)
  if (typeof at === 'string') return { ok: false, problem: at }
  if (/^\d{4}-\d\d-\d\d$/.test(typed)) return absolute(at, at + 86_400_000)
  return absolute(at - AROUND_MS, at + AROUND_MS)
}

const CLOCK = /^(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?$/
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[t ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)? ?(z|utc|[+-]\d\d:?\d\d)?$/

/** One instant in milliseconds, or what is wrong with it. A time of day is the latest one that is not in the future. */
function parseInstant(typed: string, nowMs: number, zone: Zone, after?: number | RangeProblem): number | RangeProblem {
  if (typed === 'now') return nowMs
  const back = /^now ?- ?(.+)$/.exec(typed)
  if (back) {
    const span = parseSpan(back[1] as string)
    return Number.isNaN(span) ? 'unreadable' : nowMs - span
  }
  if (/^\d{9,10}(\.\d+)?$/.test(typed)) return Math.round(Number(typed) * 1000)
  if (/^\d{12,14}$/.test(typed)) return Number(typed)
  const time = CLOCK.exec(typed)
  if (time) return timeOfDay(time, nowMs, zone, after)
  const date = DATE.exec(typed)
  return date ? dated(date, zone) : 'unreadable'
}

function timeOfDay(match: RegExpExecArray, nowMs: number, zone: Zone, after?: number | RangeProblem): number | RangeProblem {
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)]
  if (hour > 24 || minute > 59 || second > 59) return 'noSuchTime'
  if (typeof after === 'number') {
    const base = fields(after, zone)
    const sameDay = instant(zone, base.year, base.month, base.day, hour, minute, second)
    return sameDay > after ? sameDay : instant(zone, base.year, base.month, base.day + 1, hour, minute, second)
  }
  const base = fields(nowMs, zone)
  const today = instant(zone, base.year, base.month, base.day, hour, minute, second)
  return today <= nowMs ? today : instant(zone, base.year, base.month, base.day - 1, hour, minute, second)
}

function dated(match: RegExpExecArray, zone: Zone): number | RangeProblem {
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((group) => Number(match[group] ?? 0)) as [number, number, number, number, number, number]
  const millis = Number((match[7] ?? '0').padEnd(3, '0').slice(0, 3))
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate()
  if (month < 1 || month > 12 || day < 1 || day > lastDay || hour > 24 || minute > 59 || second > 59) return 'noSuchTime'
  const offset = match[8]
  if (offset === undefined) return instant(zone, year, month - 1, day, hour, minute, second) + millis
  const utc = Date.UTC(year, month - 1, day, hour, minute, second) + millis
  if (offset === 'z' || offset === 'utc') return utc
  const sign = offset.startsWith('-') ? 1 : -1
  return utc + sign * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2))) * 60_000
}

function fields(ms: number, zone: Zone): { year: number; month: number; day: number } {
  const date = new Date(ms)
  return zone === 'utc'
    ? { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate() }
    : { year: date.getFullYear(), month: date.getMonth(), day: date.getDate() }
}

function instant(zone: Zone, year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
  return zone === 'utc' ? Date.UTC(year, month, day, hour, minute, second) : new Date(year, month, day, hour, minute, second).getTime()
}
