import { describe, expect, it } from 'vitest'
import { href, parseRoute, type Route } from './route'

const open = (address: string) => parseRoute(new URL(address, 'http://127.0.0.1:7575'))

describe('the address', () => {
  it.each<Route>([
    { page: 'host', range: null, pinMs: null },
    { page: 'host', range: { kind: 'relative', spanMs: 900_000 }, pinMs: null },
    { page: 'host', range: { kind: 'relative', spanMs: 21_600_000 }, pinMs: null },
    { page: 'host', range: { kind: 'all' }, pinMs: 1_795_348_800_000 },
    { page: 'host', range: { kind: 'absolute', fromMs: 1_795_348_800_000, toMs: 1_795_349_700_250 }, pinMs: 1_795_349_000_000 },
    { page: 'status', range: { kind: 'relative', spanMs: 2_592_000_000 }, pinMs: null },
  ])('restores %j', (route) => {
    expect(open(href(route))).toEqual(route)
  })

  it('leaves out what is default', () => {
    expect(href({ page: 'host', range: null, pinMs: null })).toBe('/')
  })

  it('falls back to the default range when it is broken', () => {
    for (const query of ['from=now-', 'from=2026', 'from=x&to=y', 'from=2026-11-22T12:00:00Z&to=2026-11-22T11:00:00Z', 'from=now-1ms']) {
      expect(open(`/?${query}`).range, query).toBeNull()
    }
  })

  it('names a page that does not exist as unknown', () => {
    expect(open('/hosts/nowhere').page).toBe('unknown')
    expect(open('/status/').page).toBe('status')
  })
})
