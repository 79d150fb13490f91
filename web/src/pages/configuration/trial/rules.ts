import { tokens } from '../../../lib/promql/text'
import type { FormModel } from '../form/model.svelte'
import { isFields } from '../form/schema'
import type { Path } from '../form/yaml'

/** An alerting rule of a text. */
export interface AlertRule {
  path: Path
  name: string
  rule: Readonly<Record<string, unknown>>
}

export function alertRules(file: unknown): AlertRule[] {
  const groups: unknown = isFields(file) ? file.groups : undefined
  if (!Array.isArray(groups)) return []
  return groups.flatMap((group: unknown, g) => {
    const rules = isFields(group) && Array.isArray(group.rules) ? group.rules : []
    return rules.flatMap((rule: unknown, r): AlertRule[] => (isFields(rule) && 'alert' in rule ? [{ path: ['groups', g, 'rules', r], name: String(rule.alert ?? ''), rule }] : []))
  })
}

/** A rule alone, as a text that the server reads. */
export const alone = (rule: Readonly<Record<string, unknown>>): string => JSON.stringify({ groups: [{ name: 'trial', rules: [rule] }] })

const COMPARISONS = ['greater_than', 'less_than', 'equals'] as const

/** Where the number stands that a rule compares with, and how another one is written there; `null` where it is no plain number. */
export interface Threshold {
  value: number
  put: (form: FormModel, value: number) => void
}

export function thresholdOf({ path, rule }: AlertRule): Threshold | null {
  for (const name of COMPARISONS) {
    if (typeof rule[name] === 'number') return { value: rule[name], put: (form, value) => form.set([...path, name], value) }
  }
  const { expr } = rule
  const place = typeof expr === 'string' ? comparedNumber(expr) : null
  if (typeof expr !== 'string' || place === null) return null
  return { value: place.value, put: (form, value) => form.set([...path, 'expr'], `${expr.slice(0, place.from)}${value}${expr.slice(place.to)}`) }
}

/** The number at the end of `something > 5`, with its sign. */
export function comparedNumber(expr: string): { from: number; to: number; value: number } | null {
  const found = tokens(expr).filter(({ text, kind }) => kind !== 'comment' && text.trim() !== '')
  const last = found.at(-1)
  if (last?.kind !== 'number' || !Number.isFinite(Number(last.text))) return null
  const negative = found.at(-2)?.text === '-' && isComparison(found.at(-3)?.text)
  if (!negative && !isComparison(found.at(-2)?.text)) return null
  const from = negative ? (found.at(-2)?.from ?? last.from) : last.from
  return { from, to: last.from + last.text.length, value: negative ? -Number(last.text) : Number(last.text) }
}

const isComparison = (text: string | undefined): boolean => text !== undefined && ['>', '<', '>=', '<=', '==', '!='].includes(text)
