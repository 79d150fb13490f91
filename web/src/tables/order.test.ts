import { expect, it } from 'vitest'
import { flat, held, nested, withAncestors, type Ordering } from './order'

interface Row {
  id: string
  up: string | null
  size: number | null
}

const row = (id: string, size: number | null, up: string | null = null): Row => ({ id, up, size })
const bySize: Ordering<Row> = { value: (each) => each.size, descending: true, key: (each) => each.id }
const up = { parent: (each: Row) => each.up, closed: () => false }
const ids = (items: readonly { key: string; depth: number }[]) => items.map(({ key, depth }) => `${'-'.repeat(depth)}${key}`)

it('puts what is missing last, whichever way the others go', () => {
  const rows = [row('a', null), row('b', 1), row('c', 2)]
  expect(ids(flat(rows, bySize))).toEqual(['c', 'b', 'a'])
  expect(ids(flat(rows, { ...bySize, descending: false }))).toEqual(['b', 'c', 'a'])
})

it('keeps equal rows in one order', () => {
  expect(ids(flat([row('p10', 0), row('p9', 0)], bySize))).toEqual(['p9', 'p10'])
})

it('puts children under their parents, in order', () => {
  const rows = [row('init', 1), row('small', 2, 'init'), row('large', 9, 'init'), row('leaf', 5, 'small'), row('orphan', 3, 'gone')]
  expect(ids(nested(rows, bySize, up))).toEqual(['orphan', 'init', '-large', '-small', '--leaf'])
})

it('leaves out what is inside of something closed', () => {
  const rows = [row('a', 1), row('b', 2, 'a'), row('c', 3, 'b'), row('d', 0)]
  const items = nested(rows, bySize, { ...up, closed: (key) => key === 'a' })
  expect(ids(items)).toEqual(['a', 'd'])
  expect(items.map((item) => item.open)).toEqual([false, null])
})

it('shows every row of a circle once', () => {
  expect(ids(nested([row('a', 1, 'b'), row('b', 2, 'a'), row('c', 3, 'c')], bySize, up)).length).toBe(3)
})

it('finds what fits together with what it stands under', () => {
  const rows = [row('a', 1), row('b', 2, 'a'), row('c', 3, 'b'), row('d', 4, 'a')]
  expect(withAncestors(rows, (each) => each.id === 'c', (each) => each.id, (each) => each.up).map((each) => each.id)).toEqual(['a', 'b', 'c'])
})

it('holds an order and puts new rows at its end', () => {
  const items = flat([row('new', 9), row('a', 1), row('b', 2)], bySize)
  expect(ids(held(items, ['a', 'gone', 'b']))).toEqual(['a', 'b', 'new'])
})
