const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Steps that people can read: "max per 30 s", never "max per 27 s". */
const STEPS = [
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
  DAY, 2 * DAY, 7 * DAY, 30 * DAY,
]

/** The shortest readable step that needs at most one point per pixel. All in milliseconds. */
export function stepFor(spanMs: number, pixels: number, intervalMs: number): number {
  const wanted = Math.max(spanMs / Math.max(pixels, 50), intervalMs)
  return STEPS.find((step) => step >= wanted && step >= intervalMs) ?? Math.ceil(wanted / DAY) * DAY
}
