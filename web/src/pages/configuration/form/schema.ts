/** What stands in a text: the part of JSON Schema that the server's schemas use. */
export interface Schema {
  title?: string
  description?: string
  $ref?: string
  $defs?: Record<string, Schema>
  type?: string | readonly string[]
  enum?: readonly string[]
  const?: string
  default?: unknown
  examples?: readonly unknown[]
  format?: string
  minimum?: number
  maximum?: number
  required?: readonly string[]
  properties?: Record<string, Schema>
  additionalProperties?: Schema
  items?: Schema
  oneOf?: readonly Schema[]
  'x-document'?: string
  'x-secret'?: boolean
  'x-unit'?: string
  'x-rare'?: boolean
  'x-threshold'?: string
}

export type Shape = 'group' | 'items' | 'list' | 'pairs' | 'choice' | 'several' | 'flag' | 'number' | 'secret' | 'moment' | 'query' | 'block' | 'line'

type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What stands behind `$ref`, with what stands beside it. */
export function resolved(schema: Schema, root: Schema): Schema {
  if (schema.$ref === undefined) return schema
  const { $ref, ...beside } = schema
  const target = root.$defs?.[$ref.replace('#/$defs/', '')] ?? {}
  return { ...resolved(target, root), ...beside }
}

/** How a part is filled in. */
export function shapeOf(schema: Schema, root: Schema): Shape {
  if (schema.enum !== undefined) return 'choice'
  if (schema['x-secret'] === true) return 'secret'
  if (schema.items !== undefined) {
    const item = resolved(schema.items, root)
    return item.enum !== undefined ? 'several' : item.type === 'object' || item.properties !== undefined || item.oneOf !== undefined ? 'items' : 'list'
  }
  if (schema.additionalProperties !== undefined) return 'pairs'
  if (schema.properties !== undefined || schema.oneOf !== undefined) return 'group'
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0]
  if (type === 'boolean') return 'flag'
  if (type === 'number' || type === 'integer') return 'number'
  return schema.format === 'promql' ? 'query' : schema.format === 'text' ? 'block' : schema.format === 'date-time' ? 'moment' : 'line'
}

/** The way in which an object is filled in, of those that there are: the one that most of its fields fit. */
export function variantOf(schema: Schema, value: unknown): number {
  const variants = schema.oneOf ?? []
  const fields = isFields(value) ? value : {}
  const score = ({ required = [], properties = {} }: Schema): number => {
    if (Object.entries(properties).some(([name, { const: word }]) => word !== undefined && word !== fields[name])) return -1000
    const [has, lacks] = [required.filter((name) => name in fields).length, required.filter((name) => !(name in fields)).length]
    return Object.keys(properties).filter((name) => name in fields).length + 10 * has - 20 * lacks
  }
  const scores = variants.map(score)
  return scores.indexOf(Math.max(...scores))
}

export interface Property {
  name: string
  schema: Schema
  needed: boolean
}

/** The fields of an object in the order in which people fill them in; those of its variant come first. */
export function propertiesOf(schema: Schema, root: Schema, value: unknown): Property[] {
  const variant = schema.oneOf === undefined ? undefined : schema.oneOf[variantOf(schema, value)]
  const needed = new Set([...(schema.required ?? []), ...(variant?.required ?? [])])
  const own = { ...variant?.properties, ...schema.properties }
  const inside = isDeep(schema)
  const all = inside ? { ...schema.properties, ...variant?.properties } : own
  return Object.entries(all)
    .filter(([, { const: word }]) => word === undefined)
    .map(([name, part]) => ({ name, schema: resolved(part, root), needed: needed.has(name) }))
}

/** Whether the variant only adds to what all of them have, as the days of a schedule do. */
const isDeep = (schema: Schema): boolean => (schema.oneOf ?? []).every(({ properties = {} }) => Object.values(properties).every(({ const: word }) => word === undefined)) && schema.properties !== undefined

/** What changes when an object becomes one of another variant: which fields go, and which come with what in them. */
export function changeTo(schema: Schema, root: Schema, value: unknown, to: number): { gone: string[]; come: [string, unknown][] } {
  const fields = isFields(value) ? value : {}
  const wanted = schema.oneOf?.[to] ?? {}
  const kept = new Set([...Object.keys(wanted.properties ?? {}), ...Object.keys(schema.properties ?? {})])
  const others = new Set((schema.oneOf ?? []).flatMap(({ properties }) => Object.keys(properties ?? {})))
  const gone = Object.keys(fields).filter((name) => others.has(name) && !kept.has(name))
  const words = Object.entries(wanted.properties ?? {}).filter(([, { const: word }]) => word !== undefined)
  const come: [string, unknown][] = words.filter(([name, { const: word }]) => fields[name] !== word).map(([name, { const: word }]) => [name, word])
  for (const name of wanted.required ?? []) if (!(name in fields)) come.push([name, emptyOf(resolved(wanted.properties?.[name] ?? {}, root), root)])
  return { gone, come }
}

/** What a part begins with: what must be there, and nothing in it. */
export function emptyOf(schema: Schema, root: Schema): unknown {
  if (schema.enum !== undefined) return schema.default ?? schema.enum[0]
  switch (shapeOf(schema, root)) {
    case 'group': {
      const variant = schema.oneOf?.[0]
      const properties = { ...variant?.properties, ...schema.properties }
      const words = Object.entries(variant?.properties ?? {}).flatMap(([name, { const: word }]) => (word === undefined ? [] : [[name, word] as const]))
      const needed = [...(variant?.required ?? []), ...(schema.required ?? [])].filter((name) => !words.some(([known]) => known === name))
      return Object.fromEntries([...words, ...needed.map((name) => [name, emptyOf(resolved(properties[name] ?? {}, root), root)] as const)])
    }
    case 'items':
    case 'list':
    case 'several': return []
    case 'pairs': return {}
    case 'flag': return schema.default !== true
    case 'number': return schema.default ?? Math.max(1, schema.minimum ?? 1)
    default: return schema.default ?? ''
  }
}

/** What an item of a list is called by its most telling field. */
export function nameOfItem(value: unknown): string {
  if (!isFields(value)) return ''
  const telling = ['alert', 'record', 'name', 'title', 'channel', 'person', 'policy', 'job']
  for (const name of telling) if (typeof value[name] === 'string' && value[name] !== '') return value[name]
  for (const name of ['people', 'notify', 'matchers', 'targets', 'weekdays']) if (Array.isArray(value[name])) return value[name].join(', ')
  return typeof value.from === 'string' ? `${value.from} – ${String(value.to ?? '')}` : ''
}

/** A place as the server writes it: `steps[2].notify`, counted from 1. */
export function pathOfPlace(place: string): (string | number)[] | null {
  if (!/^[\w-]+(?:\[\d+\]|\.[\w-]+)*$/.test(place)) return null
  return [...place.matchAll(/([\w-]+)|\[(\d+)\]/g)].map(([, name, number]) => (name !== undefined && number === undefined ? name : Number(number) - 1))
}
