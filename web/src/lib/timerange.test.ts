import { describe, expect, it } from 'vitest'
import { parseRange, parseSpan, spanText } from './timerange'

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0)
const at = (...parts: [number, number, number?, number?, number?]) => Date.UTC(2026, parts[0] - 1, parts[1], parts[2] ?? 0, parts[3] ?? 0, parts[4] ?? 0)
const read = (input: string) => {
  const parsed = parseRange(input, NOW, 'utc')
  return parsed.ok ? parsed.range : parsed.problem
}

describe('parseRange', () => {
  it.each([
    ['15m', 900_000], ['now-6h', 21_600_000], ['last 7 days', 604_800_000], ['now - 30d to now', 2_592_000_000], ['90 min', 5_400_000], [' 1.5h ', 5_400_000],
  ])('%s stays relative', (input, spanMs) => {
    expect(read(input)).toEqual({ kind: 'relative', spanMs })
  })

  it.each([
    ['yesterday', at(11, 21), at(11, 22)],
    ['today', at(11, 22), NOW],
    ['03:00 to 03:20', at(11, 22, 3), at(11, 22, 3, 20)],
    ['23:50 - 00:10', at(11, 21, 23, 50), at(11, 22, 0, 10)],
    ['2026-11-20', at(11, 20), at(11, 21)],
    ['2026-11-20 03:00 to 2026-11-20 03:20:30', at(11, 20, 3), at(11, 20, 3, 20, 30)],
    ['2026-11-20T03:00:00Z..2026-11-20T05:00:00+01:00', at(11, 20, 3), at(11, 20, 4)],
    ['now-2h to now-1h', at(11, 22, 10), at(11, 22, 11)],
    [`${NOW / 1000}`, NOW - 1_800_000, NOW + 1_800_000],
    [`${NOW - 60_000} to ${NOW}`, NOW - 60_000, NOW],
    ['2026-11-22T11:00:00.000Z', at(11, 22, 10, 30), at(11, 22, 11, 30)],
  ])('%s is absolute', (input, fromMs, toMs) => {
    expect(read(input)).toEqual({ kind: 'absolute', fromMs, toMs })
  })

  it('knows everything', () => {
    expect(read('all')).toEqual({ kind: 'all' })
  })

  it.each([
    ['', 'unreadable'], ['soon', 'unreadable'], ['5 parsecs', 'unreadable'], ['1h to 2h to 3h', 'unreadable'],
    ['now to now-1h', 'backwards'], ['2s', 'tooShort'], ['999y', 'tooLong'], ['25:00 to 26:00', 'noSuchTime'], ['2026-02-30', 'noSuchTime'],
  ])('%s is refused as %s', (input, problem) => {
    expect(read(input)).toBe(problem)
  })

  it('reads local times in the local zone', () => {
    const parsed = parseRange('2026-11-20', NOW, 'local')
    expect(parsed.ok && parsed.range).toMatchObject({ fromMs: new Date(2026, 10, 20).getTime() })
  })
})

it.each([900_000, 5_400_000, 86_400_000, 604_800_000, 2_592_000_000, 45_000])('%d ms survives being written and read', (span) => {
  expect(parseSpan(spanText(span))).toBe(span)
})
