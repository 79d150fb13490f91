import type { Fired } from '../data/alerts'
import { en } from '../en'
import { moment } from '../lib/format'
import { prefs } from '../lib/prefs.svelte'

/** What an alert region means, in words. */
export function alertText({ name, severity, fromMs, toMs, incident }: Fired, nowMs: number): string {
  const time = (ms: number) => moment(ms, prefs.zone, nowMs)
  return en.alertMarks.text({ name, severity: en.severities[severity], from: time(fromMs), to: toMs === null ? null : time(toMs), number: incident })
}
