/** In which order a table shows its rows, and which of them are inside of others. */

export type SortValue = number | string | null | undefined

export interface Item<Row> {
  key: string
  row: Row
  depth: number
  /** Whether its children are shown; `null` when it has none. */
  open: boolean | null
}

export interface Ordering<Row> {
  value: (row: Row) => SortValue
  descending: boolean
  /** Equal rows keep one order from reading to reading. */
  key: (row: Row) => string
}

const byText = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

/** What is missing comes last, whichever way the others go. */
export function compare<Row>(a: Row, b: Row, { value, descending, key }: Ordering<Row>): number {
  const [x, y] = [value(a) ?? null, value(b) ?? null]
  if (x === null || y === null) return x === y ? byText.compare(key(a), key(b)) : x === null ? 1 : -1
  const order = typeof x === 'number' && typeof y === 'number' ? x - y : byText.compare(String(x), String(y))
  return order === 0 ? byText.compare(key(a), key(b)) : descending ? -order : order
}

export function flat<Row>(rows: readonly Row[], ordering: Ordering<Row>): Item<Row>[] {
  return [...rows].sort((a, b) => compare(a, b, ordering)).map((row) => ({ key: ordering.key(row), row, depth: 0, open: null }))
}

export interface Nesting<Row> {
  /** Key of the row that this one belongs under; a key that no row has makes it a root. */
  parent: (row: Row) => string | null
  closed: (key: string) => boolean
}

/** Parents before their children; siblings in order. A chain that bites its own tail still ends. */
export function nested<Row>(rows: readonly Row[], ordering: Ordering<Row>, { parent, closed }: Nesting<Row>): Item<Row>[] {
  const keys = new Set(rows.map(ordering.key))
  const children = new Map<string | null, Row[]>()
  for (const row of rows) {
    const above = parent(row)
    const place = above !== null && keys.has(above) && above !== ordering.key(row) ? above : null
    const siblings = children.get(place)
    if (siblings === undefined) children.set(place, [row])
    else siblings.push(row)
  }
  const items: Item<Row>[] = []
  const seen = new Set<string>()
  const add = (row: Row, depth: number): void => {
    const key = ordering.key(row)
    if (seen.has(key)) return
    seen.add(key)
    const below = children.get(key)
    const open = below === undefined ? null : !closed(key)
    items.push({ key, row, depth, open })
    if (below === undefined) return
    if (open === true) for (const child of below.sort((a, b) => compare(a, b, ordering))) add(child, depth + 1)
    else hide(below, ordering.key, children, seen)
  }
  for (const row of (children.get(null) ?? []).sort((a, b) => compare(a, b, ordering))) add(row, 0)
  for (const row of rows) add(row, 0)
  return items
}

function hide<Row>(rows: readonly Row[], key: (row: Row) => string, children: ReadonlyMap<string | null, Row[]>, seen: Set<string>): void {
  for (const row of rows) {
    if (seen.has(key(row))) continue
    seen.add(key(row))
    hide(children.get(key(row)) ?? [], key, children, seen)
  }
}

/** The rows that fit, and those they stand under. */
export function withAncestors<Row>(rows: readonly Row[], fits: (row: Row) => boolean, key: (row: Row) => string, parent: (row: Row) => string | null): Row[] {
  const byKey = new Map(rows.map((row) => [key(row), row]))
  const wanted = new Set<string>()
  for (const row of rows) {
    if (!fits(row)) continue
    let at: Row | undefined = row
    while (at !== undefined && !wanted.has(key(at))) {
      wanted.add(key(at))
      const above = parent(at)
      at = above === null ? undefined : byKey.get(above)
    }
  }
  return rows.filter((row) => wanted.has(key(row)))
}

/** Rows stay where they are while somebody points at them; new ones come at the end. */
export function held<Row>(items: readonly Item<Row>[], before: readonly string[]): Item<Row>[] {
  const place = new Map(before.map((key, index) => [key, index]))
  const at = ({ key }: Item<Row>) => place.get(key) ?? before.length
  return [...items].sort((a, b) => at(a) - at(b))
}
