import { describe, expect, it } from 'vitest'
import { dragged, panned, shifted, zoomed, type Shown } from './moves'

const NOW = 1_795_348_800_000
const live: Shown = { range: { kind: 'relative', spanMs: 3_600_000 }, fromMs: NOW - 3_600_000, toMs: NOW, nowMs: NOW }
const past: Shown = { range: { kind: 'absolute', fromMs: NOW - 7_200_000, toMs: NOW - 5_400_000 }, fromMs: NOW - 7_200_000, toMs: NOW - 5_400_000, nowMs: NOW }

describe('shifted', () => {
  it('goes back by one width', () => {
    expect(shifted(live, -1)).toEqual({ kind: 'absolute', fromMs: NOW - 7_200_000, toMs: NOW - 3_600_000 })
  })

  it('is live again when it arrives at the present', () => {
    const nearly: Shown = { ...past, fromMs: NOW - 3_600_000, toMs: NOW - 1_800_000 }
    expect(shifted(nearly, 1)).toEqual({ kind: 'relative', spanMs: 1_800_000 })
  })

  it('cannot leave the present for the future', () => {
    expect(shifted(live, 1)).toBe(live.range)
  })
})

describe('zoomed', () => {
  it('keeps a live view live', () => {
    expect(zoomed(live, 0.5, null)).toEqual({ kind: 'relative', spanMs: 1_800_000 })
  })

  it('keeps the middle of a past view', () => {
    expect(zoomed(past, 0.5, null)).toEqual({ kind: 'absolute', fromMs: NOW - 6_750_000, toMs: NOW - 5_850_000 })
  })

  it('does not zoom out into the future', () => {
    expect(zoomed(past, 8, null)).toEqual({ kind: 'absolute', fromMs: NOW - 14_400_000, toMs: NOW })
  })

  it('stops at the shortest range', () => {
    expect(zoomed({ ...live, fromMs: NOW - 12_000 }, 0.5, null)).toEqual({ kind: 'relative', spanMs: 10_000 })
  })
})

it('a drag shorter than the shortest range is widened to it', () => {
  const range = dragged(NOW, NOW + 2000)
  expect(range.kind === 'absolute' && range.toMs - range.fromMs).toBeGreaterThanOrEqual(10_000)
})

it('pans by some time, and is live again at the end', () => {
  const shown = { range: { kind: 'absolute' as const, fromMs: 10_000, toMs: 70_000 }, fromMs: 10_000, toMs: 70_000, nowMs: 100_000 }
  expect(panned(shown, 20_000)).toEqual({ kind: 'absolute', fromMs: 30_000, toMs: 90_000 })
  expect(panned(shown, 50_000)).toEqual({ kind: 'relative', spanMs: 60_000 })
  expect(panned(shown, -50_000)).toEqual({ kind: 'absolute', fromMs: 0, toMs: 60_000 })
})
