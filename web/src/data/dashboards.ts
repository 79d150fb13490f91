/** Dashboards, as docs/api/http.md describes them. */

import { text as shown, type Unit } from '../lib/format'
import { save } from './documents'
import { ApiError, getJson } from './protocol'

export const PANEL_TYPES = ['chart', 'number', 'table', 'status', 'text'] as const
export type PanelType = (typeof PANEL_TYPES)[number]

export interface Panel {
  title: string
  type: PanelType
  /** In PromQL, or counter paths; a panel of text has none. */
  queries: string[]
  /** Of twelve columns. */
  width: number
  /** Rows of the grid. */
  height: number
  unit: Unit | null
  warning: number | null
  critical: number | null
  text: string
}

export interface Dashboard {
  title: string
  description: string
  panels: Panel[]
}

export interface NamedDashboard extends Dashboard {
  name: string
  version: number
}

export const COLUMNS = 12
const MOST_ROWS = 8

export function newPanel(change: Partial<Panel> = {}): Panel {
  return { title: '', type: 'chart', queries: [], width: 6, height: 2, unit: null, warning: null, critical: null, text: '', ...change }
}

export const clampWidth = (width: number): number => Math.min(Math.max(Math.round(width), 2), COLUMNS)
export const clampHeight = (height: number): number => Math.min(Math.max(Math.round(height), 1), MOST_ROWS)

export type Level = 'ok' | 'warning' | 'critical' | 'none'

/** A warning above the critical value means that low values are the bad ones. */
export function levelOf(value: number, { warning, critical }: Pick<Panel, 'warning' | 'critical'>): Level {
  if (Number.isNaN(value)) return 'none'
  const low = warning !== null && critical !== null && warning > critical
  const beyond = (limit: number | null) => limit !== null && (low ? value <= limit : value >= limit)
  return beyond(critical) ? 'critical' : beyond(warning) ? 'warning' : 'ok'
}

/** The document of a dashboard. Texts in the way of JSON are YAML, too; what is default is left out. */
export function toYaml({ title, description, panels }: Dashboard): string {
  const lines = [`title: ${JSON.stringify(title)}`]
  if (description !== '') lines.push(`description: ${JSON.stringify(description)}`)
  lines.push(panels.length === 0 ? 'panels: []' : 'panels:')
  const defaults = newPanel()
  for (const panel of panels) {
    lines.push(`  - type: ${panel.type}`)
    const fields = (Object.entries(panel) as [keyof Panel, Panel[keyof Panel]][]).filter(([name, value]) => name !== 'type' && JSON.stringify(value) !== JSON.stringify(defaults[name]))
    for (const [name, value] of fields) {
      if (Array.isArray(value)) lines.push(`    ${name}:`, ...value.map((each) => `      - ${JSON.stringify(each)}`))
      else lines.push(`    ${name}: ${JSON.stringify(value)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** Moves a panel by one place. */
export function moved(panels: readonly Panel[], index: number, by: -1 | 1): Panel[] {
  const next = [...panels]
  const [panel] = next.splice(index, 1)
  if (panel !== undefined) next.splice(Math.min(Math.max(index + by, 0), next.length), 0, panel)
  return next
}

/** Appends a panel to a dashboard, or to one that this makes. What is written inside of its text as comments is lost, as when it is edited in place. */
export async function addPanel(name: string, panel: Panel, by: string): Promise<void> {
  const before = await getJson<NamedDashboard>(`/api/dashboards/${encodeURIComponent(name)}`).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return { title: name, description: '', panels: [], version: 0 }
    throw error
  })
  await save('dashboards', name, toYaml({ title: before.title, description: before.description, panels: [...before.panels, panel] }), { by, note: '', version: before.version })
}

/** A value as its panel shows it. */
export function valueText(value: number, unit: Unit): string {
  return value === Infinity ? '+Inf' : value === -Infinity ? '−Inf' : shown(value, unit)
}
