import { expect, it } from 'vitest'
import { counterNames } from './path'
import { completing, errorPlace, fitting, tokens } from './text'

const kinds = (text: string) => tokens(text).filter((token) => token.text.trim() !== '' && token.kind !== 'plain').map((token) => `${token.kind} ${token.text}`)
const at = (text: string) => completing(text.replace('|', ''), text.indexOf('|'))

it('loses no character, whatever the text', () => {
  for (const text of ['sum by (a) (rate(x{b="c\\"}"}[5m])) # end', '"open', '{', '\\Processor(_Total)\\% Processor Time', 'émile 日本 "', '1e5 0x1F .5 5m30s']) {
    expect(tokens(text).map((token) => token.text).join('')).toBe(text)
  }
})

it('tells functions, metrics, labels and keywords apart', () => {
  expect(kinds('sum by (mode) (rate(cpu_seconds_total{cpu="0"}[5m])) > bool 1')).toEqual([
    'function sum', 'keyword by', 'metric mode', 'function rate', 'metric cpu_seconds_total', 'label cpu', 'operator =', 'string "0"', 'number 5m', 'operator >', 'keyword bool', 'number 1',
  ])
  // A metric may be called like a function.
  expect(kinds('rate + up')).toEqual(['metric rate', 'operator +', 'metric up'])
})

it('tells counter paths among operands, up to the longest name that there is', () => {
  const names = counterNames(['\\Memory\\Available Bytes', '\\PhysicalDisk(*)\\Disk Reads/sec', '\\PhysicalDisk(*)\\Disk Read Bytes/sec', '\\LogicalDisk(*)\\% Free Space'])
  const paths = (text: string) => tokens(text, names).filter(({ kind }) => kind === 'path').map(({ text: path }) => path)
  expect(paths('\\Memory\\Available Bytes / 1024')).toEqual(['\\Memory\\Available Bytes'])
  expect(paths('sum(\\PhysicalDisk(0 C: (a))\\Disk Reads/sec) / \\\\srv\\memory\\available bytes > 5')).toEqual(['\\PhysicalDisk(0 C: (a))\\Disk Reads/sec', '\\\\srv\\memory\\available bytes'])
  expect(paths('\\Memory\\Available Bytesx + 1\n+ up')).toEqual(['\\Memory\\Available Bytesx + 1'])
  expect(paths('up{a="\\\\"} + `\\`')).toEqual([])
  expect(completing('up + \\Mem', 9, names)).toMatchObject({ kind: 'metric', prefix: '\\Mem', from: 5 })
  expect(completing('\\Memory\\Available Bytes / c', 27, names)).toMatchObject({ kind: 'metric', prefix: 'c' })
})

it('knows what is being typed', () => {
  expect(at('sum(rate(cpu_s|')).toMatchObject({ kind: 'metric', prefix: 'cpu_s', from: 9 })
  expect(at('disk_busy{di|')).toMatchObject({ kind: 'label', prefix: 'di', metric: 'disk_busy' })
  expect(at('disk_busy{disk="s|"}')).toMatchObject({ kind: 'value', prefix: 's', label: 'disk', metric: 'disk_busy' })
  expect(at('disk_busy{disk="sda", |')).toMatchObject({ kind: 'label', prefix: '' })
  expect(at('sum by (a, mo|')).toMatchObject({ kind: 'label', prefix: 'mo', metric: null })
  expect(at('x{a="b"} + cp|')).toMatchObject({ kind: 'metric', prefix: 'cp' })
  expect(at('label_replace(x, "de|')).toBeNull()
  expect(at('x > 5|')).toBeNull()
})

it('finds the place of an error in its message', () => {
  expect(errorPlace('invalid parameter "query": 1:5: parse error: unexpected end of input', 'sum(')).toBe(4)
  expect(errorPlace('2:3: parse error', 'a +\nb c')).toBe(6)
  expect(errorPlace('execution failed', 'a')).toBeNull()
  expect(errorPlace('9:1: parse error', 'a')).toBeNull()
})

it('puts what begins with the typed letters before what holds them', () => {
  expect(fitting(['disk_busy', 'busy_time', 'x'], 'busy', 5)).toEqual(['busy_time', 'disk_busy'])
})
