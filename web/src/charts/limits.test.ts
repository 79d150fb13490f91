import { expect, test } from 'vitest'
import { placeTexts } from './limits'

const PLOT = { left: 58, right: 400, top: 10, bottom: 70 }

test('a text stands over its line, or under it where it would leave the plot', () => {
  expect(placeTexts([{ y: 40, width: 30 }], PLOT, 14)).toEqual([{ x: 366, y: 26 }])
  expect(placeTexts([{ y: 15, width: 30 }], PLOT, 14)).toEqual([{ x: 366, y: 16 }])
})

test('no text is crossed by the line of another limit, however near the limits are', () => {
  for (let apart = 0; apart <= 40; apart++) {
    const lines = [{ y: 20, width: 30 }, { y: 20 + apart, width: 34 }, { y: Math.min(69, 26 + apart), width: 38 }]
    const places = placeTexts(lines, PLOT, 14)
    places.forEach((place, i) => {
      if (place === null) throw new Error(`no place for ${i} at ${apart}`)
      const [top, bottom] = [place.y, place.y + 14]
      const own = lines[i]?.y as number
      // In its own line a text takes the place of the line, and of those that are as near.
      const inLine = own > top && own < bottom
      const crossed = lines.some(({ y }, at) => at !== i && y > top && y < bottom)
      expect(crossed && !inLine, `${apart}: ${i}`).toBe(false)
      for (const [j, other] of places.entries()) {
        if (j === i || other === null) continue
        const width = (at: number) => lines[at]?.width as number
        const apartX = other.x >= place.x + width(i) || place.x >= other.x + width(j)
        expect(apartX || Math.abs(other.y - place.y) >= 14, `${apart}: ${i} and ${j}`).toBe(true)
      }
    })
  }
})

test('without room there is no text', () => {
  expect(placeTexts([{ y: 12, width: 30 }], { ...PLOT, bottom: 20 }, 14)).toEqual([null])
  expect(placeTexts([{ y: 40, width: 500 }], PLOT, 14)).toEqual([null])
})
