import { expect, test } from 'vitest'
import { levelOf, moved, newPanel, toYaml } from './dashboards'
import { fromGrafana } from './grafana'

test('a value is judged by its limits, from above or from below', () => {
  expect([10, 80, 95].map((value) => levelOf(value, { warning: 80, critical: 95 }))).toEqual(['ok', 'warning', 'critical'])
  expect([30, 20, 5].map((value) => levelOf(value, { warning: 20, critical: 10 }))).toEqual(['ok', 'warning', 'critical'])
  expect(levelOf(Number.NaN, { warning: 1, critical: null })).toBe('none')
})

test('a dashboard becomes YAML without what is default', () => {
  const panel = newPanel({ title: 'a: "b"', queries: ['up{a="b"}'], width: 12 })
  expect(toYaml({ title: 'T', description: '', panels: [panel] })).toBe('title: "T"\npanels:\n  - type: chart\n    title: "a: \\"b\\""\n    queries:\n      - "up{a=\\"b\\"}"\n    width: 12\n')
  expect(toYaml({ title: 'T', description: 'd', panels: [] })).toBe('title: "T"\ndescription: "d"\npanels: []\n')
})

test('panels move by one place and stay within', () => {
  const panels = ['a', 'b', 'c'].map((title) => newPanel({ title }))
  expect(moved(panels, 2, -1).map(({ title }) => title)).toEqual(['a', 'c', 'b'])
  expect(moved(panels, 0, -1).map(({ title }) => title)).toEqual(['a', 'b', 'c'])
})

const GRAFANA = {
  title: 'Node', templating: { list: [{ name: 'job', type: 'query', current: { value: 'node' } }, { name: 'node', type: 'query', current: { value: ['$__all'] } }, { name: 'ds', type: 'datasource', current: { value: 'x' } }] },
  panels: [
    { type: 'timeseries', title: 'CPU of $node', gridPos: { w: 12, h: 8 }, targets: [{ expr: 'rate(node_cpu_seconds_total{job="$job",instance=~"${node:regex}"}[$__rate_interval])' }, { expr: 'up', hide: true }], fieldConfig: { defaults: { unit: 'percentunit', thresholds: { steps: [{ value: null }, { value: 0.8 }, { value: 0.95 }] } } } },
    { type: 'row', title: 'More', panels: [{ type: 'stat', title: 'Up', gridPos: { w: 4, h: 4 }, targets: [{ expr: 'up' }], fieldConfig: { defaults: { unit: 'furlongs' } } }] },
    { type: 'text', options: { content: 'Hello' } },
    { type: 'news', title: 'Blog' },
    { type: 'table', title: 'Logs', targets: [{ query: '{a="b"}' }] },
  ],
}

test("Grafana's panels become ours, and what does not is told", () => {
  const { dashboard, missed } = fromGrafana(JSON.stringify({ dashboard: GRAFANA }))
  expect(dashboard.title).toBe('Node')
  expect(dashboard.panels.map(({ type, title }) => `${type} ${title}`)).toEqual(['chart CPU of .*', 'number Up', 'text '])
  const [cpu] = dashboard.panels
  expect(cpu).toMatchObject({ queries: ['100 * (rate(node_cpu_seconds_total{job="node",instance=~".*"}[1m]))'], unit: 'percent', width: 6, height: 2, warning: 80, critical: 95 })
  expect(missed).toEqual([
    'variable job: its queries were given node', 'variable node: its queries were given everything', 'panel CPU of .*: 1 of its queries are hidden or not in PromQL', 'panel Up: the unit furlongs', 'panel Blog: the type news is not known here',
    'panel Logs: it has no query in PromQL',
  ])
})

test('what is no dashboard is refused with the reason', () => {
  expect(() => fromGrafana('{')).toThrow(/not JSON/)
  for (const text of ['[]', '{}', '{"panels": 1}', 'null', '"a"']) expect(() => fromGrafana(text)).toThrow(/no dashboard/)
  expect(fromGrafana('{"panels": [null, 1, {"type": "graph"}, {"type": "row", "panels": 3}]}').dashboard.panels).toEqual([])
})
