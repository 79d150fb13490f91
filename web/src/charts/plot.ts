import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { moment, type Unit, type Zone } from '../lib/format'
import { timeLabel, timeTicks, valueLabel, valueScale, type ValueScale } from '../lib/ticks'
import { drawAlertCaps, drawAlerts, drawEmptyStart, drawGaps, drawHeat, drawLimits, drawMarks, drawPin, drawUsual } from './layers'
import { watchGestures } from './gestures'
import { fade, type Palette } from './palette'
import type { Grid } from './frame'
import type { Picture } from './picture'
import type { ChartSpec, Line } from './spec'

export interface PlotEvents {
  /** The pointer is over this bucket, or over none. `y` is the height from the bottom, 0 to 1; -1 when another chart has it. */
  hover(index: number | null, y: number): void
  pin(ms: number): void
  zoom(fromMs: number, toMs: number): void
  pan(byMs: number): void
  back(): void
}

export const AXIS_SIZE = 58
/** Free pixels at the right end of a plot. */
export const PLOT_MARGIN = 8
const X_AXIS_SIZE = 22
const LABEL_SPACING = 72
const LABEL_HEIGHT = 13
const LABEL_ROOM = 14
const LABEL_ROOM_SECONDS = 25
/** A sum of parts may come out above the whole by this much. */
const ROUNDING = 1.001
const CLICK_DELAY_MS = 220
const FONT = '500 11px "Inter Variable", system-ui, sans-serif'
const CURSOR_GROUP = 'host'

/** The only place that knows the chart library: lines, stacks and heat maps with a crosshair that all charts share. */
export class Plot {
  readonly #chart: uPlot
  #picture: Picture | null = null
  #scale: ValueScale = { bottom: 0, top: 1, ticks: [0, 1], power: 0 }
  #pressed = false
  /** What a gesture that is under way would show. */
  #preview: { fromMs: number; toMs: number } | null = null
  readonly #timeLabel = document.createElement('div')
  #click: ReturnType<typeof setTimeout> | undefined

  constructor(
    host: HTMLElement,
    readonly kind: ChartSpec['kind'],
    readonly unit: Unit,
    readonly zone: Zone,
    readonly palette: Palette,
    lines: readonly Line[],
    readonly events: PlotEvents,
  ) {
    const stacked = lines.filter((each) => !each.aside).length
    this.#chart = new uPlot(
      {
        width: Math.max(host.clientWidth, 50),
        height: Math.max(host.clientHeight, 50),
        pxAlign: 0,
        legend: { show: false },
        padding: [6, PLOT_MARGIN, 0, 0],
        scales: { x: { time: false, range: () => this.#xRange() }, y: { range: () => [this.#scale.bottom, this.#scale.top] } },
        axes: [this.#xAxis(), this.#yAxis()],
        series: [{}, ...lines.map((each) => this.#series(each, lines.length))],
        bands: kind === 'stack' ? Array.from({ length: Math.max(0, stacked - 1) }, (_, i) => ({ series: [i + 2, i + 1] as [number, number] })) : [],
        cursor: this.#cursor(),
        hooks: {
          drawAxes: [(chart) => this.#behind(chart)],
          draw: [(chart) => this.#inFront(chart)],
          setCursor: [(chart) => this.#moved(chart)],
          setSelect: [(chart) => this.#selected(chart)],
        },
      },
      [[], ...lines.map(() => [])] as unknown as uPlot.AlignedData,
      host,
    )
    this.#timeLabel.className = 'time-label'
    this.#timeLabel.hidden = true
    this.#chart.root.append(this.#timeLabel)
    this.#listen()
  }

  draw(picture: Picture): void {
    this.#picture = picture
    const { grid } = picture
    const columns = this.kind === 'stack' ? stack(picture.lines, grid.count) : picture.lines.map((each) => plain(each.values, grid.count))
    this.#scale = this.#valueScale(picture, columns)
    // The scales are known: the library need not look for them in the data.
    this.#chart.batch(() => {
      this.#chart.setData([timesOf(grid), ...columns] as uPlot.AlignedData, false)
      const [from, to] = this.#xRange()
      this.#chart.setScale('x', { min: from, max: to })
      this.#chart.setScale('y', { min: this.#scale.bottom, max: this.#scale.top })
    })
  }

  resize(width: number, height: number): void {
    if (width > 0 && height > 0 && (width !== this.#chart.width || height !== this.#chart.height)) this.#chart.setSize({ width, height })
  }

  /** Width of the plot without its axis, in CSS pixels. */
  static plotWidth(width: number): number {
    return Math.max(50, width - AXIS_SIZE - PLOT_MARGIN)
  }

  /** The chart as it is drawn now. */
  canvas(): HTMLCanvasElement {
    return this.#chart.ctx.canvas
  }

  destroy(): void {
    clearTimeout(this.#click)
    this.#chart.destroy()
  }

  #valueScale(picture: Picture, columns: readonly (number | null)[][]): ValueScale {
    if (this.kind === 'heat') return { bottom: 0, top: 1, ticks: [], power: 0 }
    const max = Math.max(extreme(columns, 1), highest(picture.usual?.high))
    const { top } = picture
    // Two clocks are read one after the other: a share of time may come out a little above the whole.
    if (top !== null && this.unit === 'percent') return { bottom: 0, top, ticks: [0, top / 2, top], power: 0 }
    if (top === null || max > top * ROUNDING) {
      return valueScale(max, this.unit, extreme(columns, -1))
    }
    const scale = valueScale(top, this.unit)
    return { ...scale, top, ticks: scale.ticks.filter((tick) => tick <= top) }
  }

  #xRange(): [number, number] {
    const picture = this.#picture
    if (picture === null) return [0, 1]
    const { fromMs, toMs } = this.#preview ?? picture
    return [fromMs / 1000, toMs / 1000]
  }

  #series({ color, aside, before }: Line, count: number): uPlot.Series {
    const stroke = this.palette[color]
    if (this.kind === 'heat') return { paths: () => null, points: { show: false } }
    if (before === true) return { width: 1, stroke: fade(stroke, 0.75), dash: [4, 3], points: { show: false }, spanGaps: false }
    const fill = this.kind === 'stack' && !aside ? fade(stroke, color === 'neutral' ? 0.3 : color === 'faint' ? 0.25 : 0.58) : count === 1 ? fade(stroke, 0.12) : undefined
    const width = this.kind === 'stack' ? 1 : 1.35
    const line = color === 'faint' ? { width: 0 } : { width, stroke: color === 'plain' ? fade(stroke, 0.6) : stroke }
    return { ...line, ...(fill === undefined ? {} : { fill }), points: { show: false }, spanGaps: false }
  }

  #cursor(): uPlot.Cursor {
    return {
      y: false,
      points: this.kind === 'heat' ? { show: false } : { size: 5, width: 1.5, fill: () => this.palette.card },
      drag: { x: true, y: false, setScale: false, dist: 5 },
      sync: { key: CURSOR_GROUP, scales: ['x', null], setSeries: false },
      bind: {
        dblclick: () => null,
        // With Shift the view is moved, not chosen from.
        mousedown: (_chart, _target, handler) => (event: MouseEvent) => (event.shiftKey ? null : handler(event)),
      },
    }
  }

  #xAxis(): uPlot.Axis {
    let stepMs = 1000
    return {
      size: X_AXIS_SIZE,
      gap: 4,
      font: FONT,
      stroke: this.palette.text,
      grid: { show: false },
      ticks: { show: false },
      splits: (chart, _axis, min, max) => {
        const found = timeTicks(min * 1000, max * 1000, chart.bbox.width / devicePixelRatio, LABEL_SPACING, this.zone)
        stepMs = found.stepMs
        // A label at the very edge would be cut off.
        const edge = ((max - min) * (stepMs < 60_000 ? LABEL_ROOM_SECONDS : LABEL_ROOM)) / (chart.bbox.width / devicePixelRatio)
        return found.at.map((ms) => ms / 1000).filter((at) => at <= max - edge)
      },
      values: (_chart, splits) => splits.map((seconds) => timeLabel(seconds * 1000, stepMs, this.zone)),
    }
  }

  #yAxis(): uPlot.Axis {
    return {
      size: AXIS_SIZE,
      gap: 6,
      font: FONT,
      stroke: this.palette.text,
      grid: { stroke: this.palette.grid, width: 1 },
      ticks: { show: false },
      splits: (chart) => readable(this.#scale.ticks, chart.bbox.height / devicePixelRatio),
      values: (_chart, splits) => splits.map((value) => valueLabel(value, this.#scale.power, this.unit)),
    }
  }

  #behind(chart: uPlot): void {
    const picture = this.#picture
    if (picture === null) return
    drawUsual(chart, picture, this.palette)
    drawAlerts(chart, picture, this.palette)
    drawGaps(chart, picture, this.palette.hatch)
    drawEmptyStart(chart, picture, this.palette, FONT)
    if (this.kind === 'heat') drawHeat(chart, picture, this.palette, FONT)
  }

  #inFront(chart: uPlot): void {
    if (this.#picture !== null) {
      drawAlertCaps(chart, this.#picture, this.palette)
      drawMarks(chart, this.#picture, this.palette)
      drawLimits(chart, this.#picture, this.palette, FONT)
    }
    if (this.#picture?.pinMs != null) drawPin(chart, this.#picture.pinMs, this.#picture.pinText, this.palette, FONT)
  }

  #moved(chart: uPlot): void {
    const { idx, top, left } = chart.cursor
    const over = idx != null && left != null && left >= 0
    const own = over && top != null && top >= 0 && chart.over.matches(':hover')
    this.#label(own && this.#picture !== null ? this.#picture.grid.firstMs + idx * this.#picture.grid.stepMs : null, left ?? 0)
    if (over) this.events.hover(idx, own ? 1 - top / chart.over.clientHeight : -1)
    else this.events.hover(null, -1)
  }

  /** The time under the pointer, at the foot of the crosshair. */
  #label(ms: number | null, left: number): void {
    const [label, picture] = [this.#timeLabel, this.#picture]
    const pinnedHere = ms !== null && picture?.pinMs != null && Math.abs(picture.pinMs - ms) < picture.grid.stepMs
    label.hidden = ms === null || pinnedHere
    if (ms === null || picture === null || pinnedHere) return
    label.textContent = moment(ms, this.zone, picture.toMs)
    const width = label.offsetWidth
    const x = Math.min(Math.max(AXIS_SIZE + left - width / 2, 0), this.#chart.width - width)
    label.style.transform = `translate(${Math.round(x)}px, 0)`
  }

  #selected(chart: uPlot): void {
    const { left, width } = chart.select
    const own = this.#pressed
    this.#pressed = false
    if (width <= 0) return
    chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
    // The crosshair is shared, and so is the selection: only the chart that was dragged acts.
    if (own && width >= 5) this.events.zoom(Math.round(chart.posToVal(left, 'x')) * 1000, Math.round(chart.posToVal(left + width, 'x')) * 1000)
  }

  #listen(): void {
    const { over } = this.#chart
    let startX = 0
    over.addEventListener('mousedown', (event) => {
      this.#pressed = event.button === 0
      startX = event.clientX
    })
    over.addEventListener('click', (event) => {
      if (Math.abs(event.clientX - startX) > 4) return
      clearTimeout(this.#click)
      // A double click is no pin: wait for the second one.
      const { idx } = this.#chart.cursor
      if (event.detail !== 1 || idx == null || this.#picture === null) return
      const ms = this.#picture.grid.firstMs + idx * this.#picture.grid.stepMs
      this.#click = setTimeout(() => this.events.pin(ms), CLICK_DELAY_MS)
    })
    watchGestures(over, {
      shown: () => this.#picture,
      preview: (range) => {
        this.#preview = range
        if (this.#picture !== null) this.draw(this.#picture)
      },
      pan: (byMs) => this.events.pan(byMs),
      zoom: (fromMs, toMs) => this.events.zoom(fromMs, toMs),
    })
    over.addEventListener('dblclick', () => {
      clearTimeout(this.#click)
      this.events.back()
    })
  }
}

/** On a low plot, labels are as many as can stand above each other: the lowest and the highest at least. */
function readable(ticks: readonly number[], height: number): number[] {
  return height >= LABEL_HEIGHT * ticks.length ? [...ticks] : [...new Set([ticks[0], ticks.at(-1)])].filter((tick) => tick !== undefined)
}

let lastTimes: { grid: Grid; times: number[] } | null = null

/** All charts of a page stand on one grid: its times are made once for all of them. */
function timesOf(grid: Grid): number[] {
  const { firstMs, stepMs, count } = grid
  if (lastTimes === null || lastTimes.grid.firstMs !== firstMs || lastTimes.grid.stepMs !== stepMs || lastTimes.grid.count !== count) {
    const times = new Array<number>(count)
    for (let i = 0; i < count; i++) times[i] = (firstMs + i * stepMs) / 1000
    lastTimes = { grid, times }
  }
  return lastTimes.times
}

/** The highest value above zero, or the lowest below it. */
function extreme(columns: readonly (number | null)[][], sign: 1 | -1): number {
  let found = 0
  for (const column of columns) {
    for (let i = 0; i < column.length; i++) {
      const value = column[i] as number | null
      if (value !== null && value * sign > found) found = value * sign
    }
  }
  return found * sign
}

function highest(values: Float64Array | undefined): number {
  let found = 0
  for (const value of values ?? []) if (value > found) found = value
  return found
}

/** The library marks a missing value with null. */
function plain(values: Float64Array, count: number): (number | null)[] {
  const column = new Array<number | null>(count)
  for (let i = 0; i < count; i++) {
    const value = values[i] as number
    column[i] = Number.isNaN(value) ? null : value
  }
  return column
}

/** Each part on top of the ones below it; a bucket is missing where all parts are. */
function stack(lines: readonly Line[], count: number): (number | null)[][] {
  const parts = lines.filter((each) => !each.aside)
  const sums = new Float64Array(count)
  return lines.map((each) => {
    if (each.aside) return plain(each.values, count)
    return Array.from({ length: count }, (_, i) => {
      if (parts.every((part) => Number.isNaN(part.values[i]))) return null
      const value = each.values[i] as number
      sums[i] = (sums[i] as number) + (Number.isNaN(value) ? 0 : value)
      return sums[i] as number
    })
  })
}
