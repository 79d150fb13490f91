import type { Usual } from '../data/baseline'
import type { Gap } from '../data/buffer'
import type { Grid } from './frame'
import type { Line } from './spec'

/** Everything that a plot draws. */
export interface Picture {
  fromMs: number
  toMs: number
  grid: Grid
  lines: readonly Line[]
  gaps: readonly Gap[]
  /** Where the scale ends, when the values have a maximum. */
  top: number | null
  pinMs: number | null
  pinText: string
  /** Moments at which something happened. */
  marks: readonly Mark[]
  /** Values at which an alert fires. */
  limits: readonly Limit[]
  /** What is usual at these hours. */
  usual: Usual | null
  /** From when to when alerts fired. */
  alerts: readonly Region[]
  /** Start of all recording, when it lies inside the range. */
  startMs: number | null
  startText: string
}

export interface Mark {
  ms: number
  bad: boolean
}

/** A stretch of time in which an alert fires, coloured by how severe it is. */
export interface Region {
  fromMs: number
  /** `null` while it fires. */
  toMs: number | null
  severity: 'info' | 'warning' | 'critical'
}

export interface Limit {
  value: number
  text: string
  severe: boolean
}

/** Nothing besides the lines. */
export const BARE = {
  gaps: [], top: null, pinMs: null, pinText: '', marks: [], limits: [], usual: null, alerts: [], startMs: null, startText: '',
} satisfies Partial<Picture>
