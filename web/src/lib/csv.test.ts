import { expect, it } from 'vitest'
import { csv } from './csv'

it('quotes what needs it and leaves missing values empty', () => {
  expect(csv([['time', 'a "b", c'], ['12:00', NaN], ['12:01', -1.5]])).toBe('time,"a ""b"", c"\r\n12:00,\r\n12:01,-1.5\r\n')
})

it('does not hand a formula to a spreadsheet', () => {
  expect(csv([['=cmd|calc', '@x', '-y']])).toBe("'=cmd|calc,'@x,'-y\r\n")
})
