import { expect, test } from 'vitest'
import { addressOf, diffLines } from './documents'

test('names become part of an address', () => {
  expect(addressOf('rules', 'a b/c', '/check')).toBe('/api/documents/rules/a%20b%2Fc/check')
})

test('lines of a diff are told apart, and its head is left out', () => {
  expect(diffLines('--- now\n+++ then\n@@ -1 +1 @@\n-a: 1\n+a: 2\n b: 3\n').map(({ kind }) => kind)).toEqual(['place', 'removed', 'added', 'same'])
})
