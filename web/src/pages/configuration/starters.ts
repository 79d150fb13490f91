/** What a new document of each kind begins with: complete, so that only names and numbers are to be changed. */
export const STARTERS: Readonly<Record<string, string>> = {
  channels: `type: webhook
url: https://example.org/hook
`,
  dashboards: `title: Mine
panels:
  - type: chart
    title: CPU
    queries: [cpu_usage]
    warning: 80
    critical: 95
`,
  people: `name: Anna Example
contacts:
  - {channel: mail, to: anna@example.org}
`,
  policies: `steps:
  - notify: [channel:mail]
  - {after: 15m, notify: [person:anna]}
`,
  rotas: `time_zone: Europe/Berlin
layers:
  - people: [anna]
    starts: 2026-01-05T09:00
    turn_days: 7
`,
  routes: `policy: day
group_by: [alertname, host]
routes: []
`,
  rules: `groups:
  - name: mine
    interval: 15s
    rules:
      - alert: CpuBusy
        metric: cpu_usage
        greater_than: 90
        for: 5m
        severity: warning
        annotations: {summary: '{{ $labels.host }} is busy: {{ $value | printf "%.0f" }} %'}
`,
  scrapes: `targets: ['localhost:9100']
`,
  silences: `matchers: [alertname=CpuBusy]
from: FROM
to: TO
owner: OWNER
reason: why nobody needs to know
`,
  watch: `processes: [nginx]
services: []
`,
  windows: `matchers: [host=~"db-.*"]
schedule: {time_zone: Europe/Berlin, from: '02:00', to: '04:00', weekdays: [sunday]}
reason: backups
`,
}

const TWO_HOURS_MS = 7_200_000

export function starterOf(kind: string, nowMs: number, owner: string): string {
  const time = (ms: number) => new Date(Math.floor(ms / 60_000) * 60_000).toISOString().replace('.000Z', 'Z')
  return (STARTERS[kind] ?? '').replace('FROM', time(nowMs)).replace('TO', time(nowMs + TWO_HOURS_MS)).replace('OWNER', owner === '' ? 'somebody' : owner)
}
