import { describe, expect, test } from 'vitest'
import { YamlText } from './yaml'

const RULES = `# ours
groups:
  - name: disks   # all of them
    rules:
      - alert: DiskFull
        metric: disk_percent{drive!=""}
        greater_than: 90      # see the wiki

        for: 5m
      # the second one
      - {alert: Other, expr: 'up == 0'}
`

describe('a value takes the place of a value', () => {
  test('and nothing else changes', () => {
    const text = new YamlText(RULES).set(['groups', 0, 'rules', 0, 'greater_than'], 85.5)
    expect(text).toBe(RULES.replace('90 ', '85.5 '))
  })

  test('in braces and in quotes as they were', () => {
    const text = new YamlText(RULES).set(['groups', 0, 'rules', 1, 'expr'], 'up == 1, really')
    expect(text).toBe(RULES.replace("'up == 0'", "'up == 1, really'"))
    expect(new YamlText("a: {b: c}").set(['a', 'b'], 'x, y')).toBe('a: {b: "x, y"}')
    expect(new YamlText('a: b\n').set(['a'], '- x: #y')).toBe('a: "- x: #y"\n')
    expect(new YamlText('a: b\n').set(['a'], '12')).toBe('a: "12"\n')
  })

  test('whatever it is, it is read as it was meant', () => {
    for (const value of ['true', 'null', '~', ' x ', '', 'a: b', "it's", '"q"', '{{ $value }}', '#', '@x', 'ü 🙂', 'line\nline', 0, -1.5, true]) {
      for (const before of ['k: v # c\n', "k: 'v'\n", 'k: {x: 1}\n', 'k:\n', '']) {
        expect(new YamlText(new YamlText(before).set(['k'], value)).value()).toEqual({ k: value })
      }
    }
  })
})

describe('parts come and go', () => {
  test('with the comments of the others, in the order of the fields', () => {
    const text = new YamlText(RULES).set(['groups', 0, 'rules', 0, 'severity'], 'warning', ['alert', 'metric', 'greater_than', 'for', 'severity', 'annotations'])
    expect(text).toBe(RULES.replace('for: 5m\n', 'for: 5m\n        severity: warning\n').replace('      # see', ' # see').replace('   # all', ' # all'))
    expect(new YamlText('b: 1\n').set(['a'], 2, ['a', 'b'])).toBe('a: 2\nb: 1\n')
  })

  test('lists of texts stand on one line, and go with their last item', () => {
    expect(new YamlText('a: 1\n').set(['to'], ['x', 'y'])).toBe('a: 1\nto: [x, y]\n')
    expect(new YamlText('a: 1\nto: [x]\n').remove(['to', 0])).toBe('a: 1\n')
  })

  test('a text without anything in it can be begun', () => {
    expect(new YamlText('').set(['a'], 1)).toBe('a: 1\n')
    expect(new YamlText('# only this\n').set(['a'], 1)).toContain('a: 1\n')
  })

  test('items change places', () => {
    expect(new YamlText('a:\n- 1 # one\n- 2\n').move(['a'], 0, 1)).toBe('a:\n- 2\n- 1 # one\n')
  })
})

describe('places', () => {
  const text = new YamlText(RULES)
  test.each([
    [5, 9, ['groups', 0, 'rules', 0, 'alert']],
    [7, 23, ['groups', 0, 'rules', 0, 'greater_than']],
    [11, 30, ['groups', 0, 'rules', 1, 'expr']],
    [2, 1, ['groups']],
  ])('line %i, column %i', (line, column, path) => {
    expect(text.pathAt(line, column).slice(0, path.length)).toEqual(path)
    expect(text.lineOf(path as string[])).toBe(line === 2 ? 3 : line)
  })

  test('what is no map has no form', () => {
    expect(new YamlText('a: [').broken).toBe(true)
    expect(new YamlText('- a').broken).toBe(true)
    expect(new YamlText('').broken).toBe(false)
    expect(new YamlText('# c\n').broken).toBe(false)
  })
})
