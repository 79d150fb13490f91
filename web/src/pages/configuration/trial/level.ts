/** Steps in which a threshold is moved over a scale: round, and some fifty of them. */
export function stepFor(bottom: number, top: number): number {
  const span = top - bottom
  return span > 0 ? 10 ** Math.floor(Math.log10(span / 50)) : 1
}

/** The nearest step, without the digits that calculating leaves behind. */
export function rounded(value: number, step: number): number {
  return Number((Math.round(value / step) * step).toPrecision(12))
}

const KEYS: Readonly<Record<string, number>> = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }

/** The value after a key, or `null` where the key moves nothing. */
export function moved(key: string, value: number, { bottom, top, step }: { bottom: number; top: number; step: number }): number | null {
  if (key === 'Home') return bottom
  if (key === 'End') return top
  const steps = KEYS[key]
  return steps === undefined ? null : rounded(value + steps * step, step)
}
