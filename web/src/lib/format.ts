/** Numbers and times as people read them. Missing is "–"; zero is "0". */

export type Unit = 'percent' | 'bytes' | 'byteRate' | 'bitRate' | 'count' | 'countRate' | 'seconds' | 'hertz' | 'celsius' | 'rpm' | 'watts'
export type Zone = 'local' | 'utc'

export const MISSING = '–'

export interface Formatted {
  number: string
  unit: string
}

interface Scale {
  base: number
  units: readonly string[]
}

const IEC: Scale = { base: 1024, units: ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] }
const SCALES: Record<Exclude<Unit, 'percent' | 'seconds' | 'celsius'>, Scale> = {
  bytes: IEC,
  byteRate: { base: 1024, units: IEC.units.map((unit) => `${unit}/s`) },
  bitRate: { base: 1000, units: ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s', 'Pbit/s'] },
  count: { base: 1000, units: ['', 'k', 'M', 'G', 'T', 'P'] },
  hertz: { base: 1000, units: ['Hz', 'kHz', 'MHz', 'GHz', 'THz'] },
  rpm: { base: 1000, units: ['rpm'] },
  watts: { base: 1000, units: ['W', 'kW', 'MW'] },
  countRate: { base: 1000, units: ['/s', 'k/s', 'M/s', 'G/s', 'T/s', 'P/s'] },
}
const SECONDS: readonly [string, number][] = [['µs', 1e-6], ['ms', 1e-3], ['s', 1]]

/** Which prefix a value is shown with. 1000 takes the next one, so no number has four digits before the point. */
export function magnitude(value: number, unit: Unit): number {
  const size = Math.abs(value)
  if (unit === 'percent' || unit === 'celsius' || !Number.isFinite(size)) return 0
  if (unit === 'seconds') return size === 0 ? 1 : size < 99.95e-6 ? 0 : size < 0.9995 ? 1 : 2
  const { base, units } = SCALES[unit]
  let power = 0
  while (power < units.length - 1 && size / base ** power >= 999.5) power++
  return power
}

export function divisor(unit: Unit, power: number): number {
  if (unit === 'percent' || unit === 'celsius') return 1
  if (unit === 'seconds') return (SECONDS[power] ?? SECONDS[2] as [string, number])[1]
  return SCALES[unit].base ** power
}

export function unitName(unit: Unit, power: number): string {
  if (unit === 'percent') return '%'
  if (unit === 'celsius') return '°C'
  if (unit === 'seconds') return SECONDS[power]?.[0] ?? 's'
  return SCALES[unit].units[power] ?? ''
}

/** Three significant digits; a percentage has one decimal; whole counts stay whole. */
export function format(value: number | null | undefined, unit: Unit, power?: number): Formatted {
  if (value === null || value === undefined || !Number.isFinite(value)) return { number: MISSING, unit: '' }
  const shown = power ?? magnitude(value, unit)
  const scaled = value / divisor(unit, shown)
  return { number: digits(scaled, unit, shown), unit: unitName(unit, shown) }
}

/** Two values with a word between them; the unit once if it is the same. */
export function between(low: Formatted, high: Formatted, word: string): string {
  const whole = (one: Formatted) => (one.unit === '' ? one.number : joined(one))
  return `${low.unit === high.unit ? low.number : whole(low)}${word}${whole(high)}`
}

export function text(value: number | null | undefined, unit: Unit): string {
  const formatted = format(value, unit)
  return formatted.unit === '' ? formatted.number : joined(formatted)
}

function joined({ number, unit }: Formatted): string {
  return unit.startsWith('/') ? `${number}${unit}` : `${number} ${unit}`
}

function digits(scaled: number, unit: Unit, power: number): string {
  const size = Math.abs(scaled)
  if (size === 0) return '0'
  if (unit === 'celsius') return scaled.toFixed(1)
  if (unit === 'percent') return size < 0.05 ? (scaled < 0 ? '-0.1' : '<0.1') : scaled.toFixed(size < 99.95 ? 1 : 0)
  const whole = (unit === 'bytes' && power === 0) || unit === 'rpm' || (unit === 'count' && Number.isInteger(scaled))
  if (whole) return scaled.toFixed(0)
  if (size < 0.005) return '<0.01'
  return scaled.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0)
}

/**
 * Keeps a number's unit from flapping: a larger unit is taken at once (the number would not fit), a smaller one only after
 * the value has fitted it for ten seconds.
 */
export class SteadyUnit {
  #power = -1
  #smallerSince = Number.NaN

  power(value: number, unit: Unit, nowMs: number): number {
    const wanted = magnitude(value, unit)
    if (!Number.isFinite(value) || (value === 0 && this.#power >= 0)) return Math.max(this.#power, 0)
    if (this.#power < 0 || wanted >= this.#power) {
      this.#power = wanted
      this.#smallerSince = Number.NaN
    } else if (Number.isNaN(this.#smallerSince)) {
      this.#smallerSince = nowMs
    } else if (nowMs - this.#smallerSince >= 10_000) {
      this.#power = wanted
      this.#smallerSince = Number.NaN
    }
    return this.#power
  }
}

const DURATIONS: readonly [string, number][] = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]]

/** The two largest units: "10 m 45 s". */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return MISSING
  let rest = Math.max(0, Math.round(ms / 1000) * 1000)
  const first = DURATIONS.findIndex(([, size]) => rest >= size)
  if (first < 0) return '0 s'
  const parts: string[] = []
  for (const [name, size] of DURATIONS.slice(first, first + 2)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count} ${name}`)
  }
  return parts.join(' ')
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatter(kind: string, zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${kind} ${zone}`
  let found = formatters.get(key)
  if (found === undefined) {
    const timeZone = zone === 'utc' ? { timeZone: 'UTC' } : {}
    found = new Intl.DateTimeFormat('en-GB', { hourCycle: 'h23', ...options, ...timeZone })
    formatters.set(key, found)
  }
  return found
}

export function clock(ms: number, zone: Zone, seconds = true): string {
  return formatter(`clock${seconds}`, zone, { hour: '2-digit', minute: '2-digit', ...(seconds ? { second: '2-digit' } : {}) }).format(ms)
}

export function day(ms: number, zone: Zone): string {
  return formatter('day', zone, { day: 'numeric', month: 'short' }).format(ms)
}

export function month(ms: number, zone: Zone): string {
  return formatter('month', zone, { month: 'short', year: 'numeric' }).format(ms)
}

/** Time of day, with the date in front when it is not today's. */
export function moment(ms: number, zone: Zone, nowMs: number, seconds = true): string {
  const time = clock(ms, zone, seconds)
  return day(ms, zone) === day(nowMs, zone) && Math.abs(nowMs - ms) < 86_400_000 ? time : `${day(ms, zone)} ${time}`
}

/** Milliseconds that a zone is ahead of UTC at this instant. */
export function zoneOffset(ms: number, zone: Zone): number {
  return zone === 'utc' ? 0 : -new Date(ms).getTimezoneOffset() * 60_000
}

export function zoneName(zone: Zone): string {
  return zone === 'utc' ? 'UTC' : new Intl.DateTimeFormat().resolvedOptions().timeZone
}
