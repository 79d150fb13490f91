/** Where the texts of limits stand. All lengths are device pixels. */

/** A limit's line, and how wide its text is. */
export interface LimitLine {
  y: number
  width: number
}

export interface Bounds {
  left: number
  right: number
  top: number
  bottom: number
}

const GAP = 4

/**
 * The upper left corner of each text: over its line or under it, where no other line or text is; else in its own line, beside the texts that are in the way. `null` where
 * there is no room.
 */
export function placeTexts(lines: readonly LimitLine[], plot: Bounds, height: number): ({ x: number; y: number } | null)[] {
  const placed: (Bounds | null)[] = []
  for (const [i, { y, width }] of lines.entries()) {
    const box = (top: number, right = plot.right - GAP): Bounds => ({ left: right - width, right, top, bottom: top + height })
    const fits = ({ left, top, bottom }: Bounds) => left >= plot.left && top >= plot.top && bottom <= plot.bottom
    const texts = placed.filter((each) => each !== null)
    const free = (one: Bounds) => fits(one) && texts.every((each) => !meet(one, each))
    const clear = (one: Bounds) => free(one) && lines.every((line, at) => at === i || line.y <= one.top || line.y >= one.bottom)
    const inLine = () => {
      const top = Math.min(Math.max(y - height / 2, plot.top), plot.bottom - height)
      // Beside each text that is in the way, the nearest place first.
      const rights = [plot.right - GAP, ...texts.map(({ left }) => left - GAP)].sort((a, b) => b - a)
      return rights.map((right) => box(top, right)).find(free)
    }
    placed.push([box(y - height), box(y + 1)].find(clear) ?? inLine() ?? null)
  }
  return placed.map((each) => (each === null ? null : { x: each.left, y: each.top }))
}

function meet(one: Bounds, other: Bounds): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom
}
