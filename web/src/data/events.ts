/** What happened on the host, as docs/api/http.md describes it. */

export interface HostEvent {
  time_ms: number
  kind: string
  subject: string
  fields: Record<string, string | number>
}

export interface Events {
  events: HostEvent[]
  more: boolean
  damaged: number
  lost: number
}

export type EventGroup = 'processes' | 'services' | 'inventory' | 'barograph'

const GROUPS: Record<EventGroup, readonly string[]> = {
  services: ['service_started', 'service_restarted', 'service_starting', 'service_stopping', 'service_paused', 'service_stopped', 'service_failed'],
  inventory: ['inventory_added', 'inventory_removed', 'inventory_changed'],
  barograph: ['events_lost'],
  processes: ['process_started', 'process_executed', 'process_ended'],
}
export const EVENT_GROUPS = Object.keys(GROUPS) as EventGroup[]

/** Rare enough to be drawn on every chart: processes come and go all the time. */
const NOTABLE: readonly EventGroup[] = ['services', 'inventory', 'barograph']
/** A service on its way is told again when it has arrived. */
const UNDERWAY = new Set(['service_starting', 'service_stopping'])

export function groupOf({ kind }: HostEvent): EventGroup {
  return EVENT_GROUPS.find((group) => GROUPS[group].includes(kind)) ?? 'barograph'
}

/** How often a service was started for this event to happen; the system may have done so several times between two looks. */
export function startsIn({ kind, fields }: HostEvent): number {
  const restarts = Number(fields.restarts ?? 0)
  return restarts > 0 ? restarts : kind === 'service_started' || kind === 'service_restarted' ? 1 : 0
}

/** Something that an administrator will want to look into. */
export function isBad({ kind, fields }: HostEvent): boolean {
  return kind === 'service_failed' || (kind === 'service_restarted' && fields.restarts !== undefined) || kind === 'events_lost' || (kind === 'process_ended' && fields.signal !== undefined && ![1, 2, 13, 15].includes(Number(fields.signal)))
}

export function isNotable(event: HostEvent): boolean {
  return NOTABLE.includes(groupOf(event)) && !UNDERWAY.has(event.kind)
}

interface Asked {
  fromMs: number
  toMs: number | null
  groups: readonly EventGroup[]
  limit: number
}

export function eventsAddress({ fromMs, toMs, groups, limit }: Asked): string {
  const kinds = groups.length === EVENT_GROUPS.length ? [] : groups.flatMap((group) => GROUPS[group])
  const to = toMs === null ? '' : `&to=${Math.ceil(toMs)}`
  return `/api/events?from=${Math.max(0, Math.floor(fromMs))}${to}${kinds.map((kind) => `&kind=${kind}`).join('')}&limit=${limit}`
}

export const notableAddress = (fromMs: number, toMs: number | null): string => eventsAddress({ fromMs, toMs, groups: NOTABLE, limit: 500 })
