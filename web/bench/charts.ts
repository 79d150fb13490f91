// Fifty charts of an hour at one point per second, each with one series, moved on by one point per tick: what `npm run measure` looks at.
import '../src/app.css'
import { readPalette } from '../src/charts/palette'
import { BARE, type Picture } from '../src/charts/picture'
import { Plot } from '../src/charts/plot'

const CHARTS = 50
const POINTS = 3600
const [WIDTH, HEIGHT] = [440, 160]
const START_MS = 1_800_000_000_000

const nothing = () => undefined
const events = { hover: nothing, pin: nothing, zoom: nothing, pan: nothing, back: nothing }
const palette = readPalette()
let tick = 0

/** The same numbers in every run. */
const wave = (chart: number, i: number) => 50 + 30 * Math.sin((i + chart * 70) / 90) + ((i * 7919 + chart * 104_729) % 17)

const charts = Array.from({ length: CHARTS }, (_, chart) => {
  const host = document.createElement('div')
  host.style.width = `${WIDTH}px`
  host.style.height = `${HEIGHT}px`
  host.style.display = 'inline-block'
  document.body.append(host)
  const values = Float64Array.from({ length: POINTS + 1 }, (_, i) => wave(chart, i))
  const line = { key: 'a', label: 'a', labels: {}, color: 's1' as const, values }
  const plot = new Plot(host, 'lines', 'count', 'utc', palette, [line], events)
  plot.resize(WIDTH, HEIGHT)
  let visible = true
  new IntersectionObserver(([entry]) => (visible = entry?.isIntersecting === true)).observe(host)
  const draw = (all: boolean) => {
    values.copyWithin(0, 1)
    values[POINTS - 1] = wave(chart, POINTS + tick)
    if (!all && !visible) return
    const firstMs = START_MS + tick * 1000
    const picture: Picture = {
      ...BARE, fromMs: firstMs, toMs: firstMs + (POINTS - 1) * 1000, grid: { firstMs, stepMs: 1000, count: POINTS }, lines: [line],
    }
    plot.draw(picture)
  }
  return draw
})

declare global {
  /** Moves all charts on by one point, so many times; draws those on the screen, or all. Without a pause there is a frame between. */
  var advance: (ticks: number, all: boolean, paceMs: number) => Promise<void>
}

// Timers of the page itself: what a debugger calls is not counted as script.
globalThis.advance = (ticks, all, paceMs) =>
  new Promise((done) => {
    const wait = (next: () => void) => (paceMs === 0 ? requestAnimationFrame(next) : setTimeout(next, paceMs))
    const move = (left: number) => {
      if (left === 0) return done()
      tick += 1
      for (const draw of charts) draw(all)
      wait(() => move(left - 1))
      return undefined
    }
    wait(() => move(ticks))
  })
