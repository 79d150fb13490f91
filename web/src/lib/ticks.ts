import { clock, day, divisor, magnitude, month, unitName, zoneOffset, type Unit, type Zone } from './format'

const ROUND = [1, 2, 5]

/** What a scale shows when everything is zero. */
const SMALLEST: Record<Unit, number> = { percent: 1, bytes: 1024, byteRate: 1024, bitRate: 1000, count: 1, countRate: 1, seconds: 1e-3, hertz: 1000, celsius: 1, rpm: 1, watts: 1 }

export interface ValueScale {
  /** 0, or below it where values are. */
  bottom: number
  top: number
  ticks: number[]
  /** The prefix that all labels of the axis share. */
  power: number
}

/** A scale from zero with two to four round steps in the unit that will be shown; with values below zero it goes on there. */
export function valueScale(max: number, unit: Unit, min = 0): ValueScale {
  if (min < 0 && Number.isFinite(min)) {
    const { top: step, power } = valueScale(Math.max(max, -min) / 3, unit)
    const [first, last] = [Math.floor(min / step + 1e-9), Math.max(0, Math.ceil(max / step - 1e-9))]
    return { bottom: first * step, top: last * step, ticks: Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step), power }
  }
  const reach = Number.isFinite(max) && max > 0 ? Math.max(max, SMALLEST[unit]) : SMALLEST[unit]
  const scale = scaleIn(reach, unit, magnitude(reach, unit))
  // 803 MiB would be rounded up to 1000 MiB, which is shown as 0.98 GiB: then the steps have to be round in GiB.
  const power = magnitude(scale.top, unit)
  return power === scale.power ? scale : scaleIn(reach, unit, power)
}

function scaleIn(reach: number, unit: Unit, power: number): ValueScale {
  const size = divisor(unit, power)
  const step = roundStep(reach / size / 4) * size
  const count = Math.max(1, Math.ceil(reach / step - 1e-9))
  return { bottom: 0, top: count * step, ticks: Array.from({ length: count + 1 }, (_, i) => i * step), power }
}

function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  const factor = ROUND.find((candidate) => candidate * power >= least * (1 - 1e-9)) ?? 10
  return factor * power
}

export function valueLabel(value: number, power: number, unit: Unit): string {
  if (value === 0) return '0'
  // Next to 1k, 500 reads better than 0.5k; a byte count keeps one unit along its axis.
  const bare = unit === 'count' || unit === 'countRate'
  const shown = bare ? magnitude(value, unit) : power
  const number = Number((value / divisor(unit, shown)).toPrecision(6)).toString()
  const name = unitName(unit, shown).replace('/s', '')
  return bare || unit === 'percent' ? `${number}${name}` : `${number} ${name}`
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const TIME_STEPS = [
  1000, 2000, 5000, 10_000, 15_000, 30_000,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
  DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 365 * DAY, 3650 * DAY,
]

/** Round times between two instants, at most as many as fit with `spacing` pixels each. All in milliseconds. */
export function timeTicks(fromMs: number, toMs: number, pixels: number, spacing: number, zone: Zone): { stepMs: number; at: number[] } {
  const least = ((toMs - fromMs) * spacing) / Math.max(pixels, spacing)
  const stepMs = TIME_STEPS.find((step) => step >= least) ?? (TIME_STEPS.at(-1) as number)
  const at: number[] = []
  let local = Math.ceil((fromMs + zoneOffset(fromMs, zone)) / stepMs) * stepMs
  for (; ; local += stepMs) {
    // The offset is looked up near the tick itself: over a change of summer time, midnight stays midnight.
    const instant = local - zoneOffset(local - zoneOffset(local, zone), zone)
    if (instant > toMs || at.length > 100) break
    if (instant >= fromMs) at.push(instant)
  }
  return { stepMs, at }
}

export function timeLabel(ms: number, stepMs: number, zone: Zone): string {
  if (stepMs >= 30 * DAY) return month(ms, zone)
  const midnight = (ms + zoneOffset(ms, zone)) % DAY === 0
  if (stepMs >= DAY || midnight) return day(ms, zone)
  return clock(ms, zone, stepMs < MINUTE)
}
