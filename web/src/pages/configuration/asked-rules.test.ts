import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { aboveOf, askedFrom, askedText, rulesOf } from './asked-rules'

test('a query that compares nothing fires above a value, one that compares where it has an answer', () => {
  const text = rulesOf([{ query: 'max by (host) (cpu_usage{mode="user"})', above: 80 }, { query: 'a > 5\nand b', above: 1 }])
  const { rules } = (parse(text) as { groups: [{ rules: Record<string, unknown>[] }] }).groups[0]
  expect(rules[0]).toMatchObject({ alert: 'Mine', metric: 'max by (host) (cpu_usage{mode="user"})', greater_than: 80, for: '5m' })
  expect(rules[1]).toMatchObject({ alert: 'Mine2', expr: 'a > 5\nand b' })
  expect(rules[1]).not.toHaveProperty('greater_than')
})

test('an equals sign in a matcher is no comparison', () => {
  for (const query of ['up{job="a", x!="b", y=~"c.*"}', '"a > b"']) expect(rulesOf([{ query, above: 1 }])).toContain('metric:')
})

test('the value lies above what was seen, in two digits, and a share is not more than all', () => {
  expect(aboveOf(123_456, 'count')).toBe(140_000)
  expect(aboveOf(99, 'percent')).toBe(95)
  expect(aboveOf(10, 'percent')).toBe(11)
  expect(aboveOf(Number.NaN, 'bytes')).toBe(0)
})

test('what is asked goes through the address, and what somebody made up is nothing', () => {
  const asked = [{ query: 'a{b="c"} # d', above: 1.5 }]
  expect(askedFrom(askedText(asked))).toEqual(asked)
  for (const odd of [undefined, '', '{', '{}', '[1]', '[["a"]]', '[[1, "a"]]']) expect(askedFrom(odd)).toBeNull()
})
