import { LONGEST_MS, SHORTEST_MS, type TimeRange } from './timerange'

/** Steps through time. Each takes what is shown now (milliseconds) and says what to show next. */
export interface Shown {
  range: TimeRange
  fromMs: number
  toMs: number
  nowMs: number
}

/** One width earlier (-1) or later (1). Arriving at the present, the view is live again. */
export function shifted({ range, fromMs, toMs, nowMs }: Shown, direction: -1 | 1): TimeRange {
  const span = toMs - fromMs
  if (direction > 0 && range.kind !== 'absolute') return range
  const [from, to] = [fromMs + direction * span, toMs + direction * span]
  if (to >= nowMs) return { kind: 'relative', spanMs: whole(span) }
  return from < 0 ? { kind: 'absolute', fromMs: 0, toMs: whole(span) } : { kind: 'absolute', fromMs: whole(from), toMs: whole(to) }
}

/** Moves the view by some time, not beyond now. Arriving there, it is live again. */
export function panned({ fromMs, toMs, nowMs }: Shown, byMs: number): TimeRange {
  const span = toMs - fromMs
  const to = Math.max(toMs + byMs, span)
  return to >= nowMs ? { kind: 'relative', spanMs: whole(span) } : { kind: 'absolute', fromMs: whole(to - span), toMs: whole(to) }
}

/** Shows `factor` times as much, around `centreMs`; a live view keeps ending now. */
export function zoomed({ range, fromMs, toMs, nowMs }: Shown, factor: number, centreMs: number | null): TimeRange {
  const span = Math.min(Math.max((toMs - fromMs) * factor, SHORTEST_MS), Math.min(LONGEST_MS, nowMs))
  if (range.kind !== 'absolute' && centreMs === null) return { kind: 'relative', spanMs: whole(span) }
  const centre = centreMs ?? (fromMs + toMs) / 2
  const to = Math.min(centre + span / 2, nowMs)
  const from = Math.max(0, to - span)
  return { kind: 'absolute', fromMs: whole(from), toMs: Math.max(whole(to), whole(from) + SHORTEST_MS) }
}

/** What a drag from one moment to another shows: at least the shortest range. */
export function dragged(fromMs: number, toMs: number): TimeRange {
  const missing = Math.max(0, SHORTEST_MS - (toMs - fromMs))
  return { kind: 'absolute', fromMs: Math.max(0, whole(fromMs - missing / 2)), toMs: whole(toMs + missing / 2) + (missing > 0 ? 1000 : 0) }
}

function whole(ms: number): number {
  return Math.round(ms / 1000) * 1000
}
