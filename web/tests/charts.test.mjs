// What is done with charts beyond zooming and pinning: moving, two fingers, and comparing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pause, plotBox, Server, settled, stage } from './harness.mjs'

const it = stage(async () => {
  const server = await Server.create()
  await pause(32_000)
  return server
})

const search = (page) => new URL(page.url()).searchParams
const ends = (page) => [Date.parse(search(page).get('from')), Date.parse(search(page).get('to'))]
const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z')

async function show(path) {
  const page = await it.show(path)
  await settled(page)
  return page
}

function past() {
  const to = Math.floor(Date.now() / 1000) * 1000 - 10_000
  return { from: to - 20_000, to, path: `/?from=${iso(to - 20_000)}&to=${iso(to)}` }
}

test('a drag with Shift moves the view, and Back undoes it', async () => {
  const { from, to, path } = past()
  const page = await show(path)
  const box = await plotBox(page, 'memory')
  await page.keyboard.down('Shift')
  await page.mouse.move(box.x + box.width * 0.4, box.y + 30)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.9, box.y + 30, { steps: 6 })
  await page.mouse.up()
  await page.keyboard.up('Shift')
  await page.waitForFunction((before) => new URL(location.href).searchParams.get('from') !== before, iso(from))
  const [movedFrom, movedTo] = ends(page)
  assert.ok(Math.abs(movedFrom - (from - 10_000)) <= 1000, `moved by ${movedFrom - from} ms`)
  assert.equal(movedTo - movedFrom, to - from)
  assert.equal(search(page).get('pin'), null, 'a move is no pin')
  await page.goBack()
  assert.deepEqual(ends(page), [from, to])
  await page.keyboard.press('{')
  assert.deepEqual(ends(page), [from - 5000, to - 5000])
})

test('two fingers zoom', async () => {
  const { from, to, path } = past()
  const page = await show(path)
  const box = await plotBox(page, 'memory')
  const session = await it.browser.context.newCDPSession(page)
  const touch = (type, ...shares) => session.send('Input.dispatchTouchEvent', { type, touchPoints: shares.map((share, id) => ({ x: box.x + box.width * share, y: box.y + 40, id })) })
  await touch('touchStart', 0.25, 0.75)
  await touch('touchMove', 0.35, 0.65)
  await touch('touchMove', 0.45, 0.55)
  await touch('touchEnd')
  await page.waitForFunction((before) => new URL(location.href).searchParams.get('from') !== before, iso(from))
  const [zoomedFrom, zoomedTo] = ends(page)
  assert.ok(zoomedTo - zoomedFrom > 2 * (to - from), `shows ${zoomedTo - zoomedFrom} ms`)
})

test('the same stretch some time before is laid over the charts', async () => {
  const { path } = past()
  const page = await show(`${path}&cmp=10s`)
  await page.locator('[data-compare]').getByText('10 s before').waitFor()
  await page.locator('[data-chart=memory] .about').getByText('dashed: 10 s before').waitFor()
  await page.evaluate(() => {
    const { stroke } = CanvasRenderingContext2D.prototype
    globalThis.strokes = { before: 0, other: 0 }
    CanvasRenderingContext2D.prototype.stroke = function (...args) {
      globalThis.strokes[this.getLineDash().join() === '4,3' ? 'before' : 'other']++
      return stroke.apply(this, args)
    }
  })
  // What the charts draw when they get another width; limits are dashed in another way.
  const drawn = async (width) => {
    await page.evaluate(() => (globalThis.strokes = { before: 0, other: 0 }))
    await page.setViewportSize({ width, height: 900 })
    await page.waitForFunction(() => globalThis.strokes.other > 0)
    await pause(300)
    return page.evaluate(() => globalThis.strokes)
  }
  assert.ok((await drawn(1400)).before > 0, 'nothing was drawn of before')
  await page.keyboard.press('c')
  await page.locator('[data-compare]').waitFor({ state: 'detached' })
  assert.equal(search(page).get('cmp'), null)
  // The charts follow within a frame or two.
  let left = Infinity
  for (const width of [1440, 1400, 1440]) if (left > 0) left = (await drawn(width)).before
  assert.equal(left, 0, 'what was before stayed')
  await page.locator('[data-range]').click()
  await page.getByRole('button', { name: 'the week before' }).click()
  assert.equal(search(page).get('cmp'), '1w')
  await page.goBack()
  assert.equal(search(page).get('cmp'), null)
})
