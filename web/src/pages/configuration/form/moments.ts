import type { Zone } from '../../../lib/format'

/** A moment as controls of the browser write it, by the clock of the zone; `null` where the text is none. */
export function fromMoment(text: string, zone: Zone): string | null {
  const ms = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) return null
  const offset = zone === 'utc' ? 0 : new Date(ms).getTimezoneOffset()
  return new Date(ms - offset * 60_000).toISOString().slice(0, 16)
}

/** And back, as documents write it. */
export function toMoment(text: string, zone: Zone): string {
  const ms = Date.parse(zone === 'utc' ? `${text}Z` : text)
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString().replace(':00.000Z', ':00Z')
}
