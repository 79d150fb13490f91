import { expect, test } from 'vitest'
import { changeTo, emptyOf, pathOfPlace, propertiesOf, shapeOf, variantOf, type Schema } from './schema'

const SCHEMA: Schema = {
  type: 'object',
  required: ['type'],
  properties: { note: { type: 'string' } },
  oneOf: [
    { title: 'Mail', required: ['server'], properties: { type: { const: 'mail' }, server: { type: 'string' }, port: { type: 'integer', minimum: 1 } } },
    { title: 'Hook', required: ['url'], properties: { type: { const: 'hook' }, url: { $ref: '#/$defs/url' } } },
  ],
  $defs: { url: { title: 'Address', type: 'string', 'x-secret': true } },
}
const RULE: Schema = {
  oneOf: [
    { required: ['alert', 'metric'], properties: { alert: {}, metric: {}, for: {} } },
    { required: ['alert', 'expr'], properties: { alert: {}, expr: {}, for: {} } },
    { required: ['record', 'expr'], properties: { record: {}, expr: {} } },
  ],
}

test('the variant is found by its word, or by what is there', () => {
  expect(variantOf(SCHEMA, { type: 'hook' })).toBe(1)
  expect(variantOf(RULE, { alert: 'a', expr: 'b', for: '5m' })).toBe(1)
  expect(variantOf(RULE, { record: 'a', expr: 'b' })).toBe(2)
  expect(variantOf(RULE, {})).toBe(0)
})

test('fields of the variant come first, and its word is none', () => {
  expect(propertiesOf(SCHEMA, SCHEMA, { type: 'hook' }).map(({ name, needed }) => [name, needed])).toEqual([['url', true], ['note', false]])
  expect(shapeOf(propertiesOf(SCHEMA, SCHEMA, { type: 'hook' })[0]?.schema ?? {}, SCHEMA)).toBe('secret')
})

test('another variant takes what both have, and begins the rest', () => {
  expect(changeTo(SCHEMA, SCHEMA, { type: 'mail', server: 's', port: 1, note: 'n' }, 1)).toEqual({ gone: ['server', 'port'], come: [['type', 'hook'], ['url', '']] })
  expect(changeTo(RULE, RULE, { alert: 'a', metric: 'm', for: '5m' }, 1)).toEqual({ gone: ['metric'], come: [['expr', '']] })
})

test('a new item has what it needs', () => {
  expect(emptyOf(SCHEMA, SCHEMA)).toEqual({ type: 'mail', server: '' })
})

test('places of the server are ways into the document', () => {
  expect(pathOfPlace('steps[2].notify')).toEqual(['steps', 1, 'notify'])
  expect(pathOfPlace('limits.digest')).toEqual(['limits', 'digest'])
  expect(pathOfPlace('')).toBeNull()
  expect(pathOfPlace('group `x`, rule `y`')).toBeNull()
})
