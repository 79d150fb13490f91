import { describe, expect, it } from 'vitest'
import { href, parseRoute, type Route } from './route'

const plain: Route = { page: 'host', range: null, pinMs: null, compareMs: null, view: {} }
const open = (address: string) => parseRoute(new URL(address, 'http://127.0.0.1:7575'))

describe('the address', () => {
  it.each<Route>([
    plain,
    { ...plain, range: { kind: 'relative', spanMs: 900_000 } },
    { ...plain, range: { kind: 'relative', spanMs: 21_600_000 }, compareMs: 604_800_000 },
    { ...plain, range: { kind: 'all' }, pinMs: 1_795_348_800_000 },
    { ...plain, range: { kind: 'absolute', fromMs: 1_795_348_800_000, toMs: 1_795_349_700_250 }, pinMs: 1_795_349_000_000 },
    { ...plain, page: 'status', range: { kind: 'relative', spanMs: 2_592_000_000 } },
    { ...plain, page: 'processes', view: { sort: 'cpu', q: 'name & "quotes" = <script>' } },
  ])('restores %j', (route) => {
    expect(open(href(route))).toEqual(route)
  })

  it('leaves out what is default', () => {
    expect(href(plain)).toBe('/')
  })

  it('falls back to the default range when it is broken', () => {
    for (const query of ['from=now-', 'from=2026', 'from=x&to=y', 'from=2026-11-22T12:00:00Z&to=2026-11-22T11:00:00Z', 'from=now-1ms']) {
      expect(open(`/?${query}`).range, query).toBeNull()
    }
  })

  it('takes no text for a time', () => {
    expect(open('/?pin=%22onerror%3D1').pinMs).toBeNull()
    expect(open('/?pin=2026-11-22T12:00:00%2B01:00').pinMs).toBe(Date.parse('2026-11-22T11:00:00Z'))
  })

  it('bounds what a link can bring', () => {
    const many = Array.from({ length: 50 }, (_, i) => `k${i}=1`).join('&')
    expect(Object.keys(open(`/processes?${many}&q=${'x'.repeat(5000)}`).view).length).toBe(16)
    expect(open(`/?q=${'x'.repeat(5000)}`).view).toEqual({})
  })

  it('names a page that does not exist as unknown', () => {
    expect(open('/hosts/nowhere').page).toBe('unknown')
    expect(open('/status/').page).toBe('status')
  })
})
