import type uPlot from 'uplot'
import { placeTexts } from './limits'
import { channels, fade, type Palette } from './palette'
import type { Picture } from './picture'

/** What is painted behind and in front of the series. All coordinates are device pixels. */

const HATCH_SPACING = 6

export function drawGaps(chart: uPlot, { gaps, grid }: Picture, color: string): void {
  if (gaps.length === 0) return
  const { ctx, bbox } = chart
  const ratio = devicePixelRatio
  ctx.save()
  ctx.beginPath()
  for (const { from, to } of gaps) {
    // A gap reaches from the last value before it to the first one after it.
    const left = clampX(chart, (grid.firstMs + (from - 1) * grid.stepMs) / 1000)
    const right = clampX(chart, (grid.firstMs + to * grid.stepMs) / 1000)
    if (right > left) ctx.rect(left, bbox.top, right - left, bbox.height)
  }
  ctx.clip()
  ctx.strokeStyle = color
  ctx.lineWidth = ratio
  ctx.beginPath()
  for (let x = bbox.left - bbox.height; x < bbox.left + bbox.width; x += HATCH_SPACING * ratio) {
    ctx.moveTo(x, bbox.top + bbox.height)
    ctx.lineTo(x + bbox.height, bbox.top)
  }
  ctx.stroke()
  ctx.restore()
}

/** Where the line usually is at such hours of the week: one step for each hour. */
export function drawUsual(chart: uPlot, { usual, fromMs, toMs }: Picture, palette: Palette): void {
  if (usual === null) return
  const { ctx, bbox } = chart
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  ctx.fillStyle = palette.usual
  const first = Math.max(0, Math.floor((fromMs - usual.firstMs) / usual.stepMs))
  const last = Math.min(usual.low.length - 1, Math.floor((toMs - usual.firstMs) / usual.stepMs))
  for (let i = first; i <= last; i++) {
    const [low, high] = [usual.low[i] as number, usual.high[i] as number]
    if (Number.isNaN(low)) continue
    // Whole pixels: neighbours neither overlap nor leave a line between them.
    const left = Math.round(clampX(chart, (usual.firstMs + i * usual.stepMs) / 1000))
    const right = Math.round(clampX(chart, (usual.firstMs + (i + 1) * usual.stepMs) / 1000))
    const [top, bottom] = [chart.valToPos(high, 'y', true), chart.valToPos(low, 'y', true)]
    // A value that never changes is a line.
    ctx.fillRect(left, top, right - left, Math.max(bottom - top, 2 * devicePixelRatio))
  }
  ctx.restore()
}

const CAP = 2

/** From fired to resolved: a tint behind the lines. */
export function drawAlerts(chart: uPlot, picture: Picture, palette: Palette): void {
  paintAlerts(chart, picture, palette, chart.bbox.height, 0.1)
}

/** And a cap of full colour before them, at the top. */
export function drawAlertCaps(chart: uPlot, picture: Picture, palette: Palette): void {
  paintAlerts(chart, picture, palette, CAP * devicePixelRatio, 1)
}

function paintAlerts(chart: uPlot, { alerts, toMs }: Picture, palette: Palette, height: number, alpha: number): void {
  const colors = { info: palette.info, warning: palette.warn, critical: palette.crit }
  for (const { fromMs, toMs: endMs, severity } of alerts) {
    if (fromMs > toMs) continue
    const left = clampX(chart, fromMs / 1000)
    const width = clampX(chart, (endMs ?? toMs) / 1000) - left
    if (width <= 0) continue
    chart.ctx.fillStyle = fade(colors[severity], alpha)
    chart.ctx.fillRect(left, chart.bbox.top, Math.max(width, CAP * devicePixelRatio), height)
  }
}

function clampX(chart: uPlot, seconds: number): number {
  const { left, width } = chart.bbox
  return Math.min(Math.max(chart.valToPos(seconds, 'x', true), left), left + width)
}

/** Before the first sample there is no gap: there was no recording. Says so where it fits. */
export function drawEmptyStart(chart: uPlot, { startMs, startText }: Picture, palette: Palette, font: string): void {
  if (startMs === null) return
  const { ctx, bbox } = chart
  const right = clampX(chart, startMs / 1000)
  ctx.save()
  ctx.font = scaled(font)
  const room = right - bbox.left
  ctx.strokeStyle = palette.hatch
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio])
  ctx.beginPath()
  ctx.moveTo(right, bbox.top)
  ctx.lineTo(right, bbox.top + bbox.height)
  ctx.stroke()
  if (ctx.measureText(startText).width + 24 * devicePixelRatio < room) {
    ctx.fillStyle = palette.text
    ctx.textAlign = 'right'
    ctx.textBaseline = 'middle'
    ctx.fillText(startText, right - 8 * devicePixelRatio, bbox.top + bbox.height / 2)
  }
  ctx.restore()
}

/** One row of pixels per instance, painted small and stretched: the cost does not grow with the size on the screen. */
export function drawHeat(chart: uPlot, { lines, grid }: Picture, palette: Palette, font: string): void {
  if (lines.length === 0 || grid.count === 0) return
  const image = new ImageData(grid.count, lines.length)
  const [low, high] = [channels(palette.track), channels(palette.s1)]
  lines.forEach(({ values }, row) => {
    for (let i = 0; i < grid.count; i++) {
      const value = values[i] as number
      if (Number.isNaN(value)) continue
      const share = Math.sqrt(Math.min(1, Math.max(0, value / 100)))
      const at = ((lines.length - 1 - row) * grid.count + i) * 4
      for (let part = 0; part < 3; part++) image.data[at + part] = (low[part] as number) + ((high[part] as number) - (low[part] as number)) * share
      image.data[at + 3] = 255
    }
  })
  const small = new OffscreenCanvas(grid.count, lines.length)
  small.getContext('2d')?.putImageData(image, 0, 0)
  const { ctx, bbox } = chart
  const left = chart.valToPos(grid.firstMs / 1000, 'x', true)
  const right = chart.valToPos((grid.firstMs + grid.count * grid.stepMs) / 1000, 'x', true)
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  ctx.imageSmoothingEnabled = false
  ctx.drawImage(small, left, bbox.top, right - left, bbox.height)
  ctx.fillStyle = palette.card
  const height = bbox.height / lines.length
  const first = lines[0]?.values.findIndex((value) => !Number.isNaN(value)) ?? 0
  const start = Math.max(bbox.left, chart.valToPos((grid.firstMs + first * grid.stepMs) / 1000, 'x', true))
  if (height >= 5 * devicePixelRatio) for (let row = 1; row < lines.length; row++) ctx.fillRect(start, bbox.top + row * height - devicePixelRatio / 2, bbox.width, devicePixelRatio)
  ctx.restore()
  labelRows(chart, lines.map((each) => each.label), palette.text, font)
}

function labelRows(chart: uPlot, labels: readonly string[], color: string, font: string): void {
  const { ctx, bbox } = chart
  const height = bbox.height / labels.length
  const every = Math.max(1, Math.ceil((13 * devicePixelRatio) / height))
  ctx.save()
  ctx.font = scaled(font)
  ctx.fillStyle = color
  ctx.textAlign = 'right'
  ctx.textBaseline = 'middle'
  labels.forEach((label, row) => {
    if (row % every === 0) ctx.fillText(label, bbox.left - 6 * devicePixelRatio, bbox.top + bbox.height - (row + 0.5) * height)
  })
  ctx.restore()
}

export function drawMarks(chart: uPlot, { marks }: Picture, palette: Palette): void {
  const { ctx, bbox } = chart
  ctx.save()
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([devicePixelRatio, 3 * devicePixelRatio])
  for (const { ms, bad } of marks) {
    const x = Math.round(chart.valToPos(ms / 1000, 'x', true)) + 0.5
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    ctx.strokeStyle = bad ? palette.crit : palette.text
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
  }
  ctx.restore()
}

/** Dashed lines, and their texts on the card's colour: neither lines nor series run through them. */
export function drawLimits(chart: uPlot, { limits }: Picture, palette: Palette, font: string): void {
  const { ctx, bbox } = chart
  const ratio = devicePixelRatio
  const [top, bottom] = [bbox.top, bbox.top + bbox.height]
  ctx.save()
  ctx.font = scaled(font)
  ctx.textAlign = 'left'
  ctx.textBaseline = 'middle'
  ctx.lineWidth = ratio
  ctx.setLineDash([5 * ratio, 4 * ratio])
  const shown = [...limits]
    .sort((a, b) => b.value - a.value)
    .map((limit) => ({ ...limit, y: Math.round(chart.valToPos(limit.value, 'y', true)) + 0.5, color: limit.severe ? palette.crit : palette.warn, width: ctx.measureText(limit.text).width + 4 * ratio }))
    .filter(({ y }) => y >= top - 1 && y <= bottom)
  for (const { y, color } of shown) {
    ctx.strokeStyle = color
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
  }
  const height = 14 * ratio
  const places = placeTexts(shown, { left: bbox.left, right: bbox.left + bbox.width, top, bottom }, height)
  places.forEach((place, i) => {
    const limit = shown[i]
    if (place === null || limit === undefined) return
    ctx.fillStyle = fade(palette.card, 0.85)
    ctx.fillRect(place.x, place.y, limit.width, height)
    ctx.fillStyle = limit.color
    ctx.fillText(limit.text, place.x + 2 * ratio, place.y + height / 2)
  })
  ctx.restore()
}

export function drawPin(chart: uPlot, pinMs: number, text: string, palette: Palette, font: string): void {
  const { ctx, bbox } = chart
  const ratio = devicePixelRatio
  const x = chart.valToPos(pinMs / 1000, 'x', true)
  if (x < bbox.left || x > bbox.left + bbox.width) return
  ctx.save()
  ctx.strokeStyle = palette.accent
  ctx.lineWidth = 1.5 * ratio
  ctx.beginPath()
  ctx.moveTo(x, bbox.top)
  ctx.lineTo(x, bbox.top + bbox.height)
  ctx.stroke()
  ctx.font = scaled(font)
  const width = ctx.measureText(text).width + 10 * ratio
  const height = 15 * ratio
  const left = Math.min(Math.max(x - width / 2, 0), ctx.canvas.width - width)
  const top = bbox.top + bbox.height + 3 * ratio
  ctx.fillStyle = palette.accent
  ctx.beginPath()
  ctx.roundRect(left, top, width, height, 3 * ratio)
  ctx.fill()
  ctx.fillStyle = palette.onAccent
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  ctx.fillText(text, left + width / 2, top + height / 2 + 0.5 * ratio)
  ctx.restore()
}

function scaled(font: string): string {
  return font.replace(/(\d+(?:\.\d+)?)px/, (_, size: string) => `${Number(size) * devicePixelRatio}px`)
}
