/** Documents, as docs/api/http.md describes them. */

import { ApiError } from './protocol'

export interface KindInfo {
  kind: string
  what: string
  documents: number
}

export interface DocumentInfo {
  kind: string
  name: string
  version: number
  author: string
  changed_ms: number
}

export interface DocumentText extends DocumentInfo {
  text: string | null
}

export interface DocumentList {
  kinds: KindInfo[]
  documents: DocumentInfo[]
  damaged: string[]
}

export interface Problem {
  severity: 'error' | 'warning'
  line: number | null
  column: number | null
  place: string
  message: string
}

export interface Check {
  ok: boolean
  problems: Problem[]
  diff: string
}

export interface Version {
  version: number
  author: string
  note: string
  changed_ms: number
  removed: boolean
  bytes: number
}

export interface Outcome {
  action: 'created' | 'changed' | 'unchanged' | 'removed'
  version: number
  warnings: Problem[]
}

/** A refusal that says what is wrong with the text, or which version is there. */
export class Refusal extends ApiError {
  constructor(
    status: number,
    code: string,
    message: string,
    readonly problems: readonly Problem[],
  ) {
    super(status, code, message)
  }
}

const PATIENCE_MS = 15_000

export const addressOf = (kind: string, name: string, rest = ''): string => `/api/documents/${encodeURIComponent(kind)}/${encodeURIComponent(name)}${rest}`

async function ask<T>(address: string, request: RequestInit): Promise<T> {
  const patience = AbortSignal.timeout(PATIENCE_MS)
  const answer = await fetch(address, { ...request, signal: request.signal ? AbortSignal.any([request.signal, patience]) : patience })
  const body = (await answer.json().catch(() => null)) as { error?: { code?: string; message?: string; problems?: Problem[] } } | null
  if (answer.ok) return body as T
  throw new Refusal(answer.status, body?.error?.code ?? 'unknown', body?.error?.message ?? `${answer.status} ${answer.statusText}`.trim(), body?.error?.problems ?? [])
}

interface Change {
  by: string
  note: string
  /** The version that was read; 0 for a new document. */
  version: number
}

function request({ by, note, version }: Change): { query: string; headers: Record<string, string> } {
  const query = new URLSearchParams({ ...(by === '' ? {} : { by }), ...(note === '' ? {} : { note }) }).toString()
  return { query: query === '' ? '' : `?${query}`, headers: version === 0 ? { 'if-none-match': '*' } : { 'if-match': `"${version}"` } }
}

export function save(kind: string, name: string, text: string, change: Change): Promise<Outcome> {
  const { query, headers } = request(change)
  return ask(addressOf(kind, name, query), { method: 'PUT', headers: { 'content-type': 'application/yaml', ...headers }, body: text })
}

export function remove(kind: string, name: string, change: Change): Promise<Outcome> {
  const { query, headers } = request(change)
  return ask(addressOf(kind, name, query), { method: 'DELETE', headers })
}

export function check(kind: string, name: string, text: string): Promise<Check> {
  return askText(addressOf(kind, name, '/check'), text)
}

/** Sends a text and gives what is answered. */
export function askText<T>(address: string, text: string, stop?: AbortSignal): Promise<T> {
  return ask(address, { method: 'POST', headers: { 'content-type': 'application/yaml' }, body: text, ...(stop === undefined ? {} : { signal: stop }) })
}

/** What a silence or a window would hide. */
export function preview(kind: string, name: string, text: string): Promise<{ alerts: unknown[]; of: number }> {
  return askText(addressOf(kind, name, '/preview'), text)
}

/** Keeps a secret; nobody reads it again. */
export function storeSecret(name: string, text: string, by: string): Promise<unknown> {
  const query = by === '' ? '' : `?${new URLSearchParams({ by })}`
  return ask(`/api/secrets/${encodeURIComponent(name)}${query}`, { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: text })
}

export function rollBack(kind: string, name: string, to: number, by: string): Promise<Outcome> {
  const query = new URLSearchParams({ to: String(to), ...(by === '' ? {} : { by }) })
  return ask(addressOf(kind, name, `/rollback?${query}`), { method: 'POST' })
}

/** The lines of a unified diff with what each of them is. */
export function diffLines(diff: string): { text: string; kind: 'added' | 'removed' | 'place' | 'same' }[] {
  const lines = diff.split('\n').filter((line) => line !== '' && !line.startsWith('--- ') && !line.startsWith('+++ '))
  return lines.map((text) => ({ text, kind: text.startsWith('+') ? 'added' : text.startsWith('-') ? 'removed' : text.startsWith('@@') ? 'place' : 'same' }))
}
