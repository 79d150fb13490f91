interface Range {
  fromMs: number
  toMs: number
}

export interface Gestures {
  shown(): Range | null
  /** Shows what the gesture would choose; `null` ends it. */
  preview(range: Range | null): void
  pan(byMs: number): void
  zoom(fromMs: number, toMs: number): void
}

const LEAST_PAN_PX = 3

/** The stretch that keeps two moments under two fingers. Positions are shares of the width, 0 to 1. */
export function pinched({ fromMs, toMs }: Range, before: readonly [number, number], after: readonly [number, number]): Range {
  const span = toMs - fromMs
  const [left, right] = before.map((share) => fromMs + share * span) as [number, number]
  const apart = Math.max(0.02, Math.abs(after[1] - after[0]))
  const next = Math.abs(right - left) / apart
  const from = Math.min(left, right) - Math.min(...after) * next
  return { fromMs: from, toMs: from + next }
}

/** Moving with Shift and the mouse, and zooming with two fingers. */
export function watchGestures(over: HTMLElement, gestures: Gestures): void {
  // One finger scrolls the page; two belong to the chart.
  over.style.touchAction = 'pan-y'
  watchPan(over, gestures)
  watchPinch(over, gestures)
}

function watchPan(over: HTMLElement, { shown, preview, pan }: Gestures): void {
  over.addEventListener('mousedown', (down) => {
    const range = shown()
    if (!down.shiftKey || down.button !== 0 || range === null) return
    down.preventDefault()
    const perPixel = (range.toMs - range.fromMs) / over.clientWidth
    const by = (event: MouseEvent) => (down.clientX - event.clientX) * perPixel
    const moved = (event: MouseEvent) => preview({ fromMs: range.fromMs + by(event), toMs: range.toMs + by(event) })
    const released = (event: MouseEvent) => {
      removeEventListener('mousemove', moved)
      removeEventListener('mouseup', released)
      preview(null)
      if (Math.abs(event.clientX - down.clientX) >= LEAST_PAN_PX) pan(by(event))
    }
    addEventListener('mousemove', moved)
    addEventListener('mouseup', released)
  })
}

function watchPinch(over: HTMLElement, { shown, preview, zoom }: Gestures): void {
  let start: { range: Range; at: [number, number] } | null = null
  let last: Range | null = null
  const shares = (event: TouchEvent): [number, number] | null => {
    const [one, two] = event.touches
    if (event.touches.length !== 2 || one === undefined || two === undefined) return null
    const { left, width } = over.getBoundingClientRect()
    return [(one.clientX - left) / width, (two.clientX - left) / width]
  }
  over.addEventListener('touchstart', (event) => {
    const [at, range] = [shares(event), shown()]
    start = at === null || range === null ? null : { range: { fromMs: range.fromMs, toMs: range.toMs }, at }
  }, { passive: true })
  over.addEventListener('touchmove', (event) => {
    const at = shares(event)
    if (start === null || at === null) return
    event.preventDefault()
    last = pinched(start.range, start.at, at)
    preview(last)
  }, { passive: false })
  const ended = () => {
    const chosen = last
    start = last = null
    if (chosen === null) return
    preview(null)
    zoom(chosen.fromMs, chosen.toMs)
  }
  over.addEventListener('touchend', ended)
  over.addEventListener('touchcancel', ended)
}
