/** Incidents, alerts and rules, as docs/api/http.md describes them. */

export type Severity = 'info' | 'warning' | 'critical'

export interface Member {
  labels: Record<string, string>
  annotations: Record<string, string>
  value: number
  phase: 'pending' | 'firing' | 'resolved'
  is_unknown: boolean
  fired_ms: number
  resolved_ms: number | null
  /** Nobody is told of it, and why. */
  muted_by: string | null
  /** Somebody closed the incident while it fired, and it has not ended since. */
  closed_by_hand: boolean
  /** What its rule asked. */
  about: { expr: string; measured: string | null; threshold: number | null }
}

export interface Acknowledgement {
  by: string
  note: string
  at_ms: number
  until_ms: number | null
}

/** A line of the timeline; which fields it has depends on its kind. */
export interface TimelineEvent {
  at_ms: number
  by: string | null
  what: { kind: string; alert?: string; severity?: Severity; note?: string; until_ms?: number | null; why?: string; text?: string; targets?: unknown[]; channel?: string; problem?: string }
}

export interface Incident {
  number: number
  group: Record<string, string>
  opened_ms: number
  resolved_ms: number | null
  alerts: Record<string, Member>
  acknowledged: Acknowledgement | null
  timeline: TimelineEvent[]
  severity: Severity | null
}

export interface Incidents {
  incidents: Incident[]
}

export interface Rule {
  name: string
  type: 'alerting' | 'recording'
  query: string
  health: 'ok' | 'err' | 'unknown'
  lastError?: string
  evaluationTime: number
  lastEvaluation: string
  labels: Record<string, string>
  state?: 'firing' | 'pending' | 'inactive'
  duration?: number
  keepFiringFor?: number
  annotations?: Record<string, string>
  alerts?: { labels: Record<string, string>; annotations: Record<string, string>; state: string; activeAt: string; value: string }[]
}

export interface RuleGroup {
  name: string
  file: string
  interval: number
  evaluationTime: number
  lastEvaluation: string
  rules: Rule[]
}

export interface Rules {
  data: { groups: RuleGroup[] }
}

/** What an incident is at present, for lists: each is in one state only. */
export type State = 'firing' | 'unknown' | 'acknowledged' | 'muted' | 'resolved'

export function stateOf({ resolved_ms, acknowledged, alerts }: Incident): State {
  if (resolved_ms !== null) return 'resolved'
  const firing = Object.values(alerts).filter(({ phase }) => phase === 'firing')
  if (firing.length > 0 && firing.every(({ muted_by }) => muted_by !== null)) return 'muted'
  if (acknowledged !== null) return 'acknowledged'
  return firing.length > 0 && firing.every(({ is_unknown }) => is_unknown) ? 'unknown' : 'firing'
}

/** Somebody resolved it while it fired, and it fires still. */
export function mayReopen({ resolved_ms, alerts }: Incident): boolean {
  return resolved_ms !== null && Object.values(alerts).some(({ closed_by_hand }) => closed_by_hand)
}

const SEVERITIES: readonly (Severity | null)[] = ['critical', 'warning', 'info', null]
const STATES: readonly State[] = ['firing', 'unknown', 'acknowledged', 'muted', 'resolved']

/** What needs somebody comes first, the worst before others. */
export function rankOf(incident: Incident): number {
  return STATES.indexOf(stateOf(incident)) * SEVERITIES.length + SEVERITIES.indexOf(incident.severity)
}

/** Those that still fire, then those that ended; the worst and newest first. */
export function membersOf({ alerts }: Incident): Member[] {
  const rank = (member: Member) => (member.phase === 'firing' ? 0 : 10) + severityRank(member)
  return Object.values(alerts).sort((a, b) => rank(a) - rank(b) || b.fired_ms - a.fired_ms)
}

const severityRank = ({ labels }: Member) => SEVERITIES.indexOf((labels.severity as Severity | undefined) ?? null)

/** What people wrote for people; without it, the alert's name. */
export function summaryOf({ annotations, labels }: Pick<Member, 'annotations' | 'labels'>): string {
  return annotations.summary ?? annotations.description ?? annotations.message ?? labels.alertname ?? ''
}

/** An alert as charts mark it. */
export interface Fired {
  incident: number
  name: string
  severity: Severity
  fromMs: number
  /** `null` while it fires. */
  toMs: number | null
  /** The names in its expression: its metrics are among them. */
  names: ReadonlySet<string>
}

/** The alerts of this host (or of none) that fired, the newest first. */
export function firedOn(host: string, incidents: readonly Incident[]): Fired[] {
  const fired = incidents.flatMap(({ number, alerts }) =>
    Object.values(alerts)
      .filter(({ labels, phase }) => phase !== 'pending' && (labels.host ?? host) === host)
      .map(({ labels, fired_ms, resolved_ms, about }): Fired => ({
        incident: number, name: labels.alertname ?? '', severity: SEVERITIES.find((each) => each === labels.severity) ?? 'warning',
        fromMs: fired_ms, toMs: resolved_ms, names: new Set(about.expr.match(/[\p{L}_:][\p{L}\p{N}_:]*/gu)),
      })),
  )
  return fired.sort((a, b) => b.fromMs - a.fromMs)
}

/** What somebody has to see to on a host. */
export interface Attention {
  count: number
  worst: Severity | null
  summaries: readonly string[]
}

/** The alerts by host that fire, are not silenced and are not dealt with yet; the worst first. */
export function attentionByHost(incidents: readonly Incident[]): Map<string, Attention> {
  const wanting = incidents.filter((incident) => ['firing', 'unknown'].includes(stateOf(incident)))
  const hosts = new Map<string, Member[]>()
  for (const member of wanting.flatMap(membersOf)) {
    const { phase, muted_by, labels } = member
    if (phase !== 'firing' || muted_by !== null || labels.host === undefined) continue
    hosts.set(labels.host, [...(hosts.get(labels.host) ?? []), member])
  }
  return new Map([...hosts].map(([host, found]) => {
    const members = found.sort((a, b) => severityRank(a) - severityRank(b))
    return [host, { count: members.length, worst: SEVERITIES.find((each) => each === members[0]?.labels.severity) ?? null, summaries: members.map(summaryOf) }]
  }))
}

const LEVELS = new Set(['alertname', 'severity'])

/** The labels that tell this alert from others of its incident. */
export function ownLabels({ labels }: Member, group: Record<string, string>): [string, string][] {
  return Object.entries(labels).filter(([name]) => !LEVELS.has(name) && !(name in group))
}

const COMPARISON = /\s(?:==|!=|>=|<=|>|<)\s*(?:bool\s+)?(-?[\d.]+(?:e[+-]?\d+)?)\s*$/i

/** A query that ends in a comparison with a number, as what is compared and with what. */
export function comparisonOf(query: string): { subject: string; threshold: number } | null {
  const found = COMPARISON.exec(query)
  const subject = found === null ? '' : query.slice(0, found.index).trim()
  // `a and b > 3` compares `b` only.
  if (found === null || subject === '' || /\b(?:and|or|unless)\b/.test(subject)) return null
  return { subject, threshold: Number(found[1]) }
}

/** Matchers as Alertmanager writes them. */
export function matchersOf(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`)
}

/** A silence for all alerts with these labels, as a document. Texts in the way of JSON are YAML, too. */
export function silenceFor(
  labels: Readonly<Record<string, string>>,
  { nowMs, forMs, owner, reason, ends }: { nowMs: number; forMs: number; owner: string; reason: string; ends: boolean },
): { name: string; text: string } {
  const time = (ms: number) => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z')
  const lines = [
    `matchers: ${JSON.stringify(matchersOf(labels))}`, `from: ${time(nowMs)}`, `to: ${time(nowMs + forMs)}`, `owner: ${JSON.stringify(owner)}`, `reason: ${JSON.stringify(reason)}`,
    ...(ends ? ['ends_on_recovery: true'] : []),
  ]
  return { name: `${labels.alertname ?? 'alert'} ${time(nowMs)}`, text: `${lines.join('\n')}\n` }
}
