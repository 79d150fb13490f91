/** What the server says, as docs/api/http.md describes it. */

export interface Query {
  metric: string
  match?: Record<string, string>
  rate?: boolean
  by?: string[]
  agg?: 'sum' | 'max' | 'min' | 'avg'
  /** Only so many series, those with the highest means over the range. */
  top?: number
  /** Series that are too many to be told one by one are told as one. The server does not hear of this. */
  together?: boolean
}

export type Labels = Record<string, string>

export interface HistorySeries {
  labels: Labels
  avg: (number | null)[]
  max?: (number | null)[]
}

export type ServerMessage =
  | { type: 'hello'; host: string; version: string; server_time_ms: number; interval_ms: number; oldest_ms: number | null }
  | { type: 'history'; id: string; from_ms: number; step_ms: number; series: HistorySeries[]; of?: number }
  | { type: 'series'; id: string; index: number; labels: Labels }
  | { type: 'tick'; time_ms: number; values: Record<string, (number | null)[]> }
  | { type: 'error'; id?: string; code: string; message: string }

export type ClientMessage =
  | { type: 'subscribe'; id: string; query: Query; from_ms: number; to_ms: number | null; step_ms: number }
  | { type: 'unsubscribe'; id: string }

export interface HostInfo {
  host: string
  os: string | null
  os_name: string | null
  kernel: string | null
  architecture: string | null
  cpu_model: string | null
  cpu_count: number | null
  memory_bytes: number | null
  boot_time_ms: number | null
  /** Those of the container or service that Barograph runs in. */
  limits: { cpu_cores: number | null; memory_bytes: number | null; processes: number | null }
  version: string
  interval_ms: number
  oldest_ms: number | null
}

export interface MetricInfo {
  name: string
  kind: string
  unit: string | null
  help: string
  series: number
}

/** Reads a message of the live interface; `null` when it is none that this page knows. */
export function decode(text: string): ServerMessage | null {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof message !== 'object' || message === null) return null
  const fields = message as Record<string, unknown>
  switch (fields.type) {
    case 'hello':
      return typeof fields.server_time_ms === 'number' && typeof fields.interval_ms === 'number' ? (message as ServerMessage) : null
    case 'history':
      return typeof fields.step_ms === 'number' && fields.step_ms > 0 && Array.isArray(fields.series) ? (message as ServerMessage) : null
    case 'series':
      return typeof fields.index === 'number' && fields.index >= 0 && fields.index < 10_000 ? (message as ServerMessage) : null
    case 'tick':
      return typeof fields.time_ms === 'number' && typeof fields.values === 'object' && fields.values !== null ? (message as ServerMessage) : null
    case 'error':
      return typeof fields.message === 'string' ? (message as ServerMessage) : null
    default:
      return null
  }
}

/** What the server says went wrong, or the status line when it does not answer in its own form. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

const PATIENCE_MS = 15_000

/** Fetches one JSON answer. Throws `ApiError` for a refusal and `TypeError` when the server cannot be reached. */
export async function getJson<T>(path: string, stop?: AbortSignal): Promise<T> {
  return ask(path, { signal: stop === undefined ? AbortSignal.timeout(PATIENCE_MS) : AbortSignal.any([stop, AbortSignal.timeout(PATIENCE_MS)]) })
}

/** Sends JSON and gives the answer; throws as `getJson` does. */
export async function sendJson<T>(path: string, body: unknown, method = 'POST'): Promise<T> {
  return ask(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MS) })
}

async function ask<T>(path: string, request: RequestInit): Promise<T> {
  const answer = await fetch(path, { ...request, headers: { accept: 'application/json', ...request.headers } })
  const body = (await answer.json().catch(() => null)) as { error?: { code?: string; message?: string } } | null
  if (answer.ok) return body as T
  throw new ApiError(answer.status, body?.error?.code ?? 'unknown', body?.error?.message ?? `${answer.status} ${answer.statusText}`.trim())
}
