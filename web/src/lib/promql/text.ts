import { pathEnd, type CounterNames } from './path'
import { AGGREGATIONS, FUNCTIONS, KEYWORDS } from './words'

export type TokenKind = 'function' | 'keyword' | 'metric' | 'label' | 'string' | 'number' | 'operator' | 'comment' | 'path' | 'plain'

export interface Token {
  kind: TokenKind
  text: string
  from: number
}

const PARTS = /(#[^\n]*)|("(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|`[^`]*`?)|(\d+(?:\.\d+)?(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*|0x[\da-f]+|\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)|([a-z_:][\w:.]*)|(==|!=|=~|!~|<=|>=|[-+*/%^=<>@])|(\s+|.)/gisu
const FUNCTION_WORDS: ReadonlySet<string> = new Set([...AGGREGATIONS, ...FUNCTIONS])
const KEYWORD_WORDS: ReadonlySet<string> = new Set(KEYWORDS)

const NO_NAMES: CounterNames = new Map()

/** Cuts a query into coloured pieces; what is no PromQL stays plain. Their texts joined are the query. Counter paths are operands. */
export function tokens(text: string, names: CounterNames = NO_NAMES): Token[] {
  const found: Token[] = []
  let braces = 0
  const parts = new RegExp(PARTS)
  for (let match = parts.exec(text); match !== null; match = parts.exec(text)) {
    const [part, comment, string, number, word, operator] = match
    const from = match.index
    if (part === '\\' && braces === 0) {
      parts.lastIndex = pathEnd(text, from, names)
      found.push({ kind: 'path', text: text.slice(from, parts.lastIndex), from })
      continue
    }
    if (part === '{') braces += 1
    if (part === '}') braces = Math.max(0, braces - 1)
    const kind = comment !== undefined ? 'comment' : string !== undefined ? 'string' : number !== undefined ? 'number' : operator !== undefined ? 'operator' : word === undefined ? 'plain' : wordKind(word, braces > 0, text.slice(from + word.length))
    found.push({ kind, text: part, from })
  }
  return found
}

function wordKind(word: string, inBraces: boolean, rest: string): TokenKind {
  if (inBraces) return 'label'
  const lower = word.toLowerCase()
  if (KEYWORD_WORDS.has(lower)) return 'keyword'
  if (FUNCTION_WORDS.has(lower) && /^\s*(?:\(|by\b|without\b)/i.test(rest)) return 'function'
  return 'metric'
}

export interface Completing {
  /** What is being typed: where it begins, and what is there already. */
  from: number
  prefix: string
  kind: 'metric' | 'label' | 'value'
  /** The metric that the labels belong to, as far as it is known. */
  metric: string | null
  /** Whose values are wanted. */
  label: string | null
}

/** What could be completed at the caret; `null` where nothing could. */
export function completing(text: string, caret: number, names: CounterNames = NO_NAMES): Completing | null {
  const before = text.slice(0, caret)
  const end = tokens(before, names).at(-1)
  if (end?.kind === 'path') return { from: end.from, prefix: end.text, kind: 'metric', metric: null, label: null }
  const open = openBrace(before)
  if (open >= 0) {
    const metric = /([a-z_:][\w:.]*)\s*$/i.exec(before.slice(0, open))?.[1] ?? null
    const inside = before.slice(open + 1)
    const value = /([a-z_][\w.]*)\s*(?:=~|!~|!=|=)\s*"([^"]*)$/i.exec(inside)
    if (value !== null) return { from: caret - (value[2] as string).length, prefix: value[2] as string, kind: 'value', metric, label: value[1] as string }
    const label = /(?:^|,)\s*([\w.]*)$/.exec(inside)
    return label === null ? null : { from: caret - (label[1] as string).length, prefix: label[1] as string, kind: 'label', metric, label: null }
  }
  const grouping = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)$/i.exec(before)
  if (grouping !== null) {
    const label = /(?:^|,)\s*([\w.]*)$/.exec(grouping[1] as string)
    return label === null ? null : { from: caret - (label[1] as string).length, prefix: label[1] as string, kind: 'label', metric: null, label: null }
  }
  if (end?.kind === 'string' || end?.kind === 'comment' || end?.kind === 'number') return null
  const word = /[a-z_:][\w:.]*$/i.exec(before)?.[0] ?? ''
  return word === '' ? null : { from: caret - word.length, prefix: word, kind: 'metric', metric: null, label: null }
}

/** Where the brace opens that the end of the text stands in, -1 when in none. */
function openBrace(text: string): number {
  let [at, quote] = [-1, '']
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string
    if (quote !== '') {
      if (char === '\\') i += 1
      else if (char === quote) quote = ''
    } else if (char === '"' || char === "'" || char === '`') quote = char
    else if (char === '{') at = i
    else if (char === '}') at = -1
  }
  return at
}

/** Where an error is, when its message says so: `1:5: parse error: …`. Counted from 0. */
export function errorPlace(message: string, text: string): number | null {
  const found = /(?:^|\s)(\d+):(\d+): /.exec(message)
  if (found === null) return null
  const [line, column] = [Number(found[1]), Number(found[2])]
  const lines = text.split('\n')
  if (line < 1 || line > lines.length) return null
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0)
  return Math.min(start + Math.max(0, column - 1), text.length)
}

/** Words that fit what was typed: those that begin with it, then those that hold it. */
export function fitting(words: readonly string[], prefix: string, most: number): string[] {
  const wanted = prefix.toLowerCase()
  const begins = words.filter((word) => word.toLowerCase().startsWith(wanted))
  const holds = words.filter((word) => !word.toLowerCase().startsWith(wanted) && word.toLowerCase().includes(wanted))
  return [...begins, ...holds].slice(0, most)
}
