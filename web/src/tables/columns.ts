import type { SortValue } from './order'

export interface Column<Row> {
  id: string
  title: string
  hint?: string
  /** The least width, in pixels. */
  width: number
  /** Takes what is left, in this proportion to others that do. */
  grow?: number
  right?: boolean
  mono?: boolean
  /** What the order goes by; without it the column cannot be sorted by. */
  value?: (row: Row) => SortValue
  /** The first click sorts from the largest down. */
  largestFirst?: boolean
  text: (row: Row) => string
  /** Share, 0 to 1, that shades the cell. */
  load?: (row: Row) => number
  /** Width of the table, in pixels, from which on there is room for the column. */
  from?: number
  /** And from which on others tell the same. */
  until?: number
}

export function columnsFor<Row>(columns: readonly Column<Row>[], width: number): Column<Row>[] {
  return columns.filter(({ from = 0, until = Infinity }) => width === 0 || (width >= from && width < until))
}

/** The grid's tracks, and the width in pixels below which the table scrolls sideways. */
export function tracksOf<Row>(columns: readonly Column<Row>[]): { tracks: string; least: number } {
  const track = ({ width, grow }: Column<Row>) => (grow === undefined ? `${width}px` : `minmax(${width}px, ${grow}fr)`)
  return { tracks: columns.map(track).join(' '), least: columns.reduce((sum, { width }) => sum + width, 0) }
}

/** The rows of a long table that are on the screen, with some beside them so that scrolling shows no holes. */
export function windowOf(scrollTop: number, height: number, rowHeight: number, count: number): { first: number; last: number } {
  const AROUND = 6
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - AROUND)
  return { first: Math.min(first, count), last: Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + AROUND) }
}
