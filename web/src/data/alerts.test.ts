import { expect, test } from 'vitest'
import { attentionByHost, comparisonOf, firedOn, matchersOf, mayReopen, membersOf, ownLabels, rankOf, silenceFor, stateOf, type Incident, type Member } from './alerts'

const member = (change: Partial<Member> = {}): Member => ({
  labels: { alertname: 'DiskFull', host: 'a', drive: '/', severity: 'warning' }, annotations: {}, value: 91, phase: 'firing', is_unknown: false, fired_ms: 1000, resolved_ms: null, muted_by: null, closed_by_hand: false, about: { expr: 'disk_percent > 90', measured: 'disk_percent', threshold: 90 }, ...change,
})
const incident = (change: Partial<Incident> = {}): Incident => ({
  number: 1, group: { alertname: 'DiskFull', host: 'a' }, opened_ms: 1000, resolved_ms: null, alerts: { a: member() }, acknowledged: null, timeline: [], severity: 'warning', ...change,
})

test('an incident is in one state', () => {
  const acknowledged = { by: 'anna', note: '', at_ms: 1, until_ms: null }
  expect(stateOf(incident())).toBe('firing')
  expect(stateOf(incident({ acknowledged }))).toBe('acknowledged')
  expect(stateOf(incident({ acknowledged, alerts: { a: member({ muted_by: 'silence x' }) } }))).toBe('muted')
  expect(stateOf(incident({ alerts: { a: member({ muted_by: 'silence x' }), b: member() } }))).toBe('firing')
  expect(stateOf(incident({ alerts: { a: member({ is_unknown: true }) } }))).toBe('unknown')
  expect(stateOf(incident({ resolved_ms: 5, acknowledged }))).toBe('resolved')
})

test('charts mark the alerts of this host that fired, the newest first', () => {
  const about = { expr: 'max by (drive) (disk_percent{drive!="x"}) > 90 and on (host) up', measured: null, threshold: null }
  const alerts = { a: member({ about, resolved_ms: 9000 }), b: member({ phase: 'pending' }), c: member({ labels: { alertname: 'Elsewhere', host: 'b' } }) }
  const ofNone = incident({ number: 2, alerts: { a: member({ fired_ms: 5000, labels: { alertname: 'NoHost', severity: 'critical' } }) } })
  const fired = firedOn('a', [incident({ alerts }), ofNone])
  expect(fired.map(({ incident, name, severity, fromMs, toMs }) => ({ incident, name, severity, fromMs, toMs }))).toEqual([
    { incident: 2, name: 'NoHost', severity: 'critical', fromMs: 5000, toMs: null },
    { incident: 1, name: 'DiskFull', severity: 'warning', fromMs: 1000, toMs: 9000 },
  ])
  expect(fired[1]?.names.has('disk_percent')).toBe(true)
})

test('what needs somebody comes first, the worst before others', () => {
  const all = [incident({ number: 1, resolved_ms: 5, severity: 'critical' }), incident({ number: 2, severity: null }), incident({ number: 3 }), incident({ number: 4, severity: 'critical' })]
  expect(all.sort((a, b) => rankOf(a) - rankOf(b)).map(({ number }) => number)).toEqual([4, 3, 2, 1])
})

test('alerts that fire come before those that ended', () => {
  const alerts = { a: member({ phase: 'resolved', labels: { severity: 'critical' } }), b: member({ fired_ms: 1 }), c: member({ fired_ms: 2 }) }
  expect(membersOf(incident({ alerts })).map(({ fired_ms, phase }) => [fired_ms, phase])).toEqual([[2, 'firing'], [1, 'firing'], [1000, 'resolved']])
})

test('labels that all alerts of an incident share are not told again', () => {
  expect(ownLabels(member(), incident().group)).toEqual([['drive', '/']])
})

test('a threshold is found where the query ends in one', () => {
  expect(comparisonOf('cpu_usage > 80')).toEqual({ subject: 'cpu_usage', threshold: 80 })
  expect(comparisonOf('disk_free_gb{drive!=""} <= -1.5e3')).toEqual({ subject: 'disk_free_gb{drive!=""}', threshold: -1500 })
  expect(comparisonOf('service_up == 0')).toEqual({ subject: 'service_up', threshold: 0 })
  expect(comparisonOf('a and b > 3')).toBeNull()
  expect(comparisonOf('absent(up)')).toBeNull()
  expect(comparisonOf('a > b')).toBeNull()
})

test('a silence holds the labels of the incident, whatever stands in them', () => {
  expect(matchersOf({ host: 'a"b\\c\n' })).toEqual(['host="a\\"b\\\\c\\n"'])
  const { name, text } = silenceFor({ alertname: 'DiskFull' }, { nowMs: 0, forMs: 60_000, owner: 'anna', reason: 'new: "disk"', ends: true })
  expect(name).toBe('DiskFull 1970-01-01T00:00:00Z')
  expect(text).toBe('matchers: ["alertname=\\"DiskFull\\""]\nfrom: 1970-01-01T00:00:00Z\nto: 1970-01-01T00:01:00Z\nowner: "anna"\nreason: "new: \\"disk\\""\nends_on_recovery: true\n')
})

test('tells by host what nobody deals with yet, the worst first', () => {
  const on = (host: string, severity: string, change: Partial<Member> = {}) => member({ labels: { alertname: 'A', host, severity }, annotations: { summary: `${severity} on ${host}` }, ...change })
  const found = attentionByHost([
    incident({ alerts: { a: on('one', 'warning'), b: on('two', 'info'), c: on('two', 'warning', { muted_by: 'silence x' }), d: on('three', 'critical', { phase: 'resolved' }) } }),
    incident({ alerts: { a: on('one', 'critical') } }),
    incident({ acknowledged: { by: 'anna', note: '', at_ms: 1, until_ms: null }, alerts: { a: on('four', 'critical') } }),
  ])
  expect([...found]).toEqual([
    ['one', { count: 2, worst: 'critical', summaries: ['critical on one', 'warning on one'] }],
    ['two', { count: 1, worst: 'info', summaries: ['info on two'] }],
  ])
})

test('only what somebody closed while it fired is opened again', () => {
  expect(mayReopen(incident())).toBe(false)
  expect(mayReopen(incident({ resolved_ms: 5 }))).toBe(false)
  expect(mayReopen(incident({ resolved_ms: 5, alerts: { a: member(), b: member({ closed_by_hand: true }) } }))).toBe(true)
})
