import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { webPath } from './harness.mjs'

const KB = 1024
const assets = readdirSync(webPath('dist/assets')).filter((name) => !/\.(?:br|gz)$/.test(name))
const zipped = (path) => gzipSync(readFileSync(path), { level: 9 }).length / KB
const index = readFileSync(webPath('dist/index.html'), 'utf8')

function budget(pattern, limit, size = zipped) {
  const found = assets.filter((name) => pattern.test(name))
  assert.ok(found.length > 0, `nothing in dist/assets matches ${pattern}`)
  const sum = found.reduce((all, name) => all + size(webPath('dist/assets', name)), 0)
  assert.ok(sum <= limit, `${found.join(', ')}: ${sum.toFixed(1)} KB, the budget is ${limit}`)
}

/** What the browser fetches before anything is drawn: the files that the index names, and no others. */
const first = (extension) => [...index.matchAll(/(?:src|href)="\/assets\/([^"]+)"/g)].map(([, name]) => name).filter((name) => name.endsWith(extension))

test('the script of the first load keeps its budget', () => {
  const names = first('.js')
  assert.ok(names.length > 0, 'index.html loads no module')
  const sum = names.reduce((all, name) => all + zipped(webPath('dist/assets', name)), 0)
  assert.ok(sum <= 100, `${names.join(', ')}: ${sum.toFixed(1)} KB gzipped, the budget is 100`)
})

test('what is loaded later keeps its budget, each file', () => {
  for (const name of assets.filter((each) => each.endsWith('.js'))) {
    const size = zipped(webPath('dist/assets', name))
    assert.ok(size <= 150, `${name}: ${size.toFixed(1)} KB gzipped, the budget is 150`)
  }
})

test('style, font and the whole keep their budgets', () => {
  const styles = first('.css').reduce((all, name) => all + zipped(webPath('dist/assets', name)), 0)
  assert.ok(styles > 0 && styles <= 12, `the style of the first load is ${styles.toFixed(1)} KB gzipped, the budget is 12`)
  budget(/\.woff2$/, 50, (path) => readFileSync(path).length / KB)
  budget(/./, 1200, (path) => readFileSync(path).length / KB)
})

test('every file but the index carries a hash, and is there compressed', () => {
  for (const name of assets) assert.match(name, /-[\w-]{8}\.\w+$/)
  for (const name of assets.filter((each) => /\.(?:js|css|svg)$/.test(each))) {
    assert.deepEqual(readFileSync(webPath('dist/assets', `${name}.gz`)).subarray(0, 2), Buffer.from([0x1f, 0x8b]))
    assert.ok(readFileSync(webPath('dist/assets', `${name}.br`)).length > 0)
  }
})

test('the index needs no exception from the content security policy', () => {
  assert.doesNotMatch(index, /<script(?![^>]* src=)[^>]*>/, 'an inline script')
  assert.doesNotMatch(index, /<style|\sstyle=|\son\w+=/, 'an inline style or handler')
  assert.doesNotMatch(index, /(?:src|href)="(?:https?:)?\/\//, 'another origin')
})

test('the lock file names packages and their hashes, not where they came from', () => {
  const lock = readFileSync(webPath('package-lock.json'), 'utf8')
  assert.doesNotMatch(lock, /"resolved"/)
  const { packages } = JSON.parse(lock)
  for (const [name, entry] of Object.entries(packages)) if (name !== '') assert.ok(entry.integrity, `${name} has no hash`)
})
