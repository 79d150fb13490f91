import type { State } from './data/alerts'
import { en } from './en'
import { duration } from './lib/format'

/** The texts of alerts and rules. */
export const enAlerting = {
  alerts: {
    label: 'Incidents', filter: 'Filter by name, host, labels, text', views: 'Which incidents', failed: 'The incidents could not be read',
    which: { open: 'Open', firing: 'Firing', acknowledged: 'Acknowledged', muted: 'Muted', resolved: 'Resolved', all: 'All' } as Record<string, string>,
    states: { firing: 'firing', unknown: 'unknown', acknowledged: 'acknowledged', muted: 'muted', resolved: 'resolved' } satisfies Record<State, string>,
    severities: en.severities as Record<string, string>,
    columns: { state: 'State', name: 'Alert', where: 'Where', summary: 'What', since: 'Since', lasted: 'For', owner: 'Owner', alerts: 'Alerts' },
    count: (count: number) => (count === 1 ? '1 incident' : `${count} incidents`),
    none: { open: 'Nothing is wrong: no incident is open.', other: 'No incident fits.' },
    nobody: 'Nobody is told of alerts.', nobodyHint: 'Make a channel and a route under Configuration, and messages go out.', dead: (count: number) => (count === 1 ? '1 message could not be delivered.' : `${count} messages could not be delivered.`), setUp: 'Configuration',
    unknownHint: 'Its host is silent: whether it still holds, nobody knows.',
  },

  incident: {
    title: (number: number, name: string) => `#${number} ${name}`,
    opened: 'Opened', resolved: 'Resolved', open: 'Open for', group: 'Where', acknowledged: 'Acknowledged',
    by: (who: string, until: string | null) => (until === null ? `by ${who}, until it ends` : `by ${who}, until ${until}`),
    alerts: 'Alerts', timeline: 'Timeline', limit: (limit: string) => `alert at ${limit}`, since: (time: string, ms: number) => `since ${time} (${duration(ms)})`,
    ended: (time: string) => `ended ${time}`, mutedBy: (what: string) => `muted by ${what}`, noData: 'Nothing was recorded then.',
    acknowledge: 'Acknowledge', unacknowledge: 'Take back', comment: 'Comment', resolve: 'Resolve', reopen: 'Open again', reopenHint: 'Its alerts fire still, and are told anew', silence: 'Silence', more: 'Show all',
    charts: 'Charts of that time', processes: 'Processes at that moment', explore: 'Ask for it in Explore', runbook: 'Runbook', rule: 'The rule',
    who: 'Your name', note: 'What is being done', commentText: 'Comment', forHow: 'For', until: { '1800': '30 min', '3600': '1 h', '7200': '2 h', '14400': '4 h', '28800': '8 h', '86400': '24 h', '': 'until it ends' } as Record<string, string>,
    busiest: 'Busiest processes then', process: 'Process', cpu: 'CPU', memory: 'Memory', happened: 'What happened shortly before',
    preview: (count: number, of: number) => `${count} of ${of} active alerts now`, reason: 'Why', ends: 'Ends when the alert does', hides: 'Nobody is told of alerts with',
    send: 'Save', cancel: 'Cancel', sending: 'Saving …',
    resolveAsk: 'The incident is closed although its alerts still fire. It stays closed until they end and fire again.',
    repeat: 'An acknowledgement ends when the alert gets worse.',
    kinds: {
      opened: 'Opened', reopened: 'Opened again', resolved: 'Resolved', nobody_to_tell: 'Nobody is told: no escalation policy fits',
    } as Record<string, string>,
    said: {
      fired: (alert: string) => `Fires: ${alert}`, ended: (alert: string) => `Ended: ${alert}`, unknown: (alert: string) => `Not known any more, its host is silent: ${alert}`, known: (alert: string) => `Known again: ${alert}`,
      worse: (severity: string) => `Got worse: ${severity}`, acknowledged: (note: string) => (note === '' ? 'Acknowledged' : `Acknowledged: ${note}`), acknowledgementEnded: (why: string) => `The acknowledgement ended: ${why}`,
      commented: (text: string) => text, told: (whom: string) => `To be told: ${whom}`, delivered: (channel: string) => `Delivered by ${channel}`, notDelivered: (channel: string, problem: string) => `Not delivered by ${channel}: ${problem}`, delayed: (channel: string, problem: string) => `Not delivered by ${channel} yet, and tried on: ${problem}`,
    },
  },

  rules: {
    label: 'Rules', filter: 'Filter by name, query, file', failed: 'The rules could not be read', none: 'No rule fits.', empty: 'There are no rules.',
    which: { all: 'all', active: 'that fire or are pending', failing: 'that fail' } as Record<string, string>, view: 'Show',
    states: { firing: 'firing', pending: 'pending', inactive: 'quiet', recording: 'records', err: 'fails' } as Record<string, string>,
    columns: { state: 'State', name: 'Rule', group: 'Group', query: 'Query', for: 'For', severity: 'Severity', alerts: 'Alerts', evaluated: 'Evaluated', took: 'Took' },
    count: (rules: number, groups: number) => `${rules} rules in ${groups} groups`, failing: (count: number) => (count === 1 ? '1 fails' : `${count} fail`),
    facts: { file: 'File', group: 'Group', interval: 'Every', for: 'Must hold for', keep: 'Goes on firing for', query: 'Query', error: 'Error', labels: 'Labels', annotations: 'Annotations', evaluated: 'Last evaluated', took: 'Took' },
    explore: 'Ask this query in Explore', edit: 'Change it, or try it on its history', alerts: 'Alerts now', noAlerts: 'None.', shipped: 'ships with Barograph', never: 'not yet',
  },
} as const
