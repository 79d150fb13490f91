/** Dashboards of Grafana (its JSON model, schema versions from about 16 on: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/). */

import type { Unit } from '../lib/format'
import { clampHeight, clampWidth, COLUMNS, newPanel, type Dashboard, type Panel, type PanelType } from './dashboards'

export interface Imported {
  dashboard: Dashboard
  /** What has no counterpart here, in words. */
  missed: string[]
}

const TYPES: Readonly<Record<string, PanelType>> = {
  timeseries: 'chart', graph: 'chart', stat: 'number', singlestat: 'number', gauge: 'number', bargauge: 'number', table: 'table', 'table-old': 'table', text: 'text', 'state-timeline': 'status', 'status-history': 'status',
}
const UNITS: Readonly<Record<string, Unit>> = {
  percent: 'percent', bytes: 'bytes', decbytes: 'bytes', Bps: 'byteRate', binBps: 'byteRate', bps: 'bitRate', binbps: 'bitRate', s: 'seconds', short: 'count', none: 'count', ops: 'countRate', reqps: 'countRate', cps: 'countRate', hertz: 'hertz', rothz: 'hertz',
  celsius: 'celsius', rotrpm: 'rpm', watt: 'watts',
}
const GRID_COLUMNS = 24
/** Pixels of a row there, as rows of ours. */
const ROWS = 0.27
const MOST_PANELS = 100
/** What stands for the range and the step of a chart; ours are about as long. */
const VARIABLES: Readonly<Record<string, string>> = { __rate_interval: '1m', __interval: '1m', __range: '1h', __interval_ms: '60000', __range_s: '3600' }

type Json = Record<string, unknown>
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const string = (value: unknown): string => (typeof value === 'string' ? value : '')
const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

/** Throws an `Error` that says what is wrong when this is no dashboard. */
export function fromGrafana(text: string): Imported {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch (error) {
    throw new Error(`not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  // The HTTP interface wraps it.
  const model = isJson(read) && isJson(read.dashboard) ? read.dashboard : read
  if (!isJson(model) || !Array.isArray(model.panels)) throw new Error('this is no dashboard of Grafana: it has no panels')
  const missed: string[] = []
  const variables = variablesOf(model, missed)
  const all = list(model.panels).filter(isJson).flatMap((panel) => (panel.type === 'row' ? list(panel.panels).filter(isJson) : [panel]))
  if (all.length > MOST_PANELS) missed.push(`${all.length - MOST_PANELS} panels beyond the first ${MOST_PANELS}`)
  const panels = all.slice(0, MOST_PANELS).flatMap((panel) => panelOf(panel, variables, missed))
  if (list(isJson(model.annotations) ? model.annotations.list : []).length > 1) missed.push('annotations')
  return { dashboard: { title: string(model.title) || 'Imported', description: string(model.description), panels }, missed }
}

/** Each variable as what its queries can hold: its present value, or anything. */
function variablesOf(model: Json, missed: string[]): Map<string, string> {
  const found = new Map(Object.entries(VARIABLES))
  for (const variable of list(isJson(model.templating) ? model.templating.list : []).filter(isJson)) {
    const name = string(variable.name)
    const current = isJson(variable.current) ? variable.current.value : undefined
    const values = (Array.isArray(current) ? current : [current]).map(string).filter((value) => value !== '')
    const all = values.length === 0 || values.includes('$__all')
    found.set(name, all ? '.*' : values.join('|'))
    if (variable.type !== 'datasource') missed.push(`variable ${name}: its queries were given ${all ? 'everything' : values.join(', ')}`)
  }
  return found
}

function panelOf(panel: Json, variables: ReadonlyMap<string, string>, missed: string[]): Panel[] {
  const title = filled(string(panel.title), variables)
  const type = TYPES[string(panel.type)]
  const said = title === '' ? 'a panel' : `panel ${title}`
  if (type === undefined) {
    missed.push(`${said}: the type ${string(panel.type) || 'is missing'} is not known here`)
    return []
  }
  const place = isJson(panel.gridPos) ? panel.gridPos : {}
  const size = { width: clampWidth(((number(place.w) ?? GRID_COLUMNS / 2) / GRID_COLUMNS) * COLUMNS), height: clampHeight((number(place.h) ?? 8) * ROWS) }
  if (type === 'text') {
    const options = isJson(panel.options) ? panel.options : panel
    return [newPanel({ title, type, ...size, text: string(options.content) })]
  }
  const targets = list(panel.targets).filter(isJson)
  const queries = targets.filter(({ hide }) => hide !== true).map(({ expr }) => filled(string(expr), variables)).filter((query) => query !== '')
  if (queries.length === 0) {
    missed.push(`${said}: it has no query in PromQL`)
    return []
  }
  if (queries.length < targets.length) missed.push(`${said}: ${targets.length - queries.length} of its queries are hidden or not in PromQL`)
  if (list(panel.transformations).length > 0) missed.push(`${said}: its transformations`)
  const defaults = isJson(panel.fieldConfig) && isJson(panel.fieldConfig.defaults) ? panel.fieldConfig.defaults : {}
  const given = string(defaults.unit) || string(panel.format)
  const unit = UNITS[given] ?? null
  if (given === 'percentunit') return [newPanel({ title, type, ...size, queries: queries.map((query) => `100 * (${query})`), unit: 'percent', ...thresholds(defaults, 100) })]
  if (given !== '' && unit === null) missed.push(`${said}: the unit ${given}`)
  return [newPanel({ title, type, ...size, queries, unit, ...thresholds(defaults, 1) })]
}

/** The last two of its steps. */
function thresholds(defaults: Json, factor: number): Pick<Panel, 'warning' | 'critical'> {
  const steps = list(isJson(defaults.thresholds) ? defaults.thresholds.steps : []).filter(isJson).map((step) => number(step.value)).filter((value) => value !== null)
  const [last, before] = [steps.at(-1), steps.at(-2)]
  const scaled = (value: number | undefined) => (value === undefined || value === 0 ? null : value * factor)
  return steps.length >= 2 ? { warning: scaled(before), critical: scaled(last) } : { warning: null, critical: scaled(last) }
}

function filled(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{(\w+)(?::\w+)?\}|\[\[(\w+)\]\]|\$(\w+)/g, (whole, a?: string, b?: string, c?: string) => variables.get(a ?? b ?? c ?? '') ?? whole)
}
