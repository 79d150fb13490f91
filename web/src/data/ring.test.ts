import { describe, expect, it } from 'vitest'
import { Ring } from './ring'

describe('Ring', () => {
  it('reads back what was written and NaN for what was not', () => {
    const ring = new Ring(4)
    ring.set(10, 1)
    ring.set(12, 3)
    expect([9, 10, 11, 12, 13].map((bucket) => ring.get(bucket))).toEqual([NaN, 1, NaN, 3, NaN])
  })

  it('drops the oldest when it moves forward', () => {
    const ring = new Ring(3)
    for (let bucket = 1; bucket <= 5; bucket++) ring.set(bucket, bucket)
    expect([2, 3, 4, 5].map((bucket) => ring.get(bucket))).toEqual([NaN, 3, 4, 5])
  })

  it('shows nothing old after a jump longer than the window', () => {
    const ring = new Ring(3)
    for (let bucket = 1; bucket <= 3; bucket++) ring.set(bucket, bucket)
    ring.set(1000, 7)
    expect([997, 998, 999, 1000].map((bucket) => ring.get(bucket))).toEqual([NaN, NaN, NaN, 7])
  })

  it('fills an older bucket inside the window and ignores one before it', () => {
    const ring = new Ring(3)
    ring.set(5, 5)
    ring.set(3, 3)
    ring.set(2, 2)
    expect([2, 3, 4, 5].map((bucket) => ring.get(bucket))).toEqual([NaN, 3, NaN, 5])
  })

  it('refuses a capacity that holds nothing', () => {
    expect(() => new Ring(0)).toThrow('above 0')
  })
})
