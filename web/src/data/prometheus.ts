/** The interface of Prometheus, as far as the page asks it: https://prometheus.io/docs/prometheus/latest/querying/api/. */

import { ApiError } from './protocol'

type Labels = Record<string, string>

export interface Answer<T> {
  data: T
  warnings: string[]
}

export interface Vector {
  metric: Labels
  value: [number, string]
}

export interface Matrix {
  metric: Labels
  values: [number, string][]
}

export type Result =
  | { resultType: 'vector'; result: Vector[] }
  | { resultType: 'matrix'; result: Matrix[] }
  | { resultType: 'scalar' | 'string'; result: [number, string] }

const PATIENCE_MS = 120_000

/** Asks with POST: a query may be longer than an address. */
async function ask<T>(path: string, params: Record<string, string>, stop: AbortSignal): Promise<Answer<T>> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(PATIENCE_MS)])
  const answer = await fetch(`/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(params), signal })
  const body = (await answer.json().catch(() => null)) as { status?: string; data?: T; warnings?: string[]; errorType?: string; error?: string | { message?: string } } | null
  if (body?.status !== 'success' || body.data === undefined) {
    // What is refused before it gets to the queries is told as by the other interfaces.
    const message = typeof body?.error === 'string' ? body.error : body?.error?.message
    throw new ApiError(answer.status, body?.errorType ?? 'unknown', message ?? `${answer.status} ${answer.statusText}`.trim())
  }
  return { data: body.data, warnings: body.warnings ?? [] }
}

const seconds = (ms: number) => (ms / 1000).toFixed(3)

export function queryRange(query: string, span: { fromMs: number; toMs: number; stepMs: number }, limit: number, stop: AbortSignal): Promise<Answer<Result>> {
  return ask('query_range', { query, start: seconds(span.fromMs), end: seconds(span.toMs), step: seconds(span.stepMs), limit: String(limit) }, stop)
}

export function queryAt(query: string, atMs: number, limit: number, stop: AbortSignal): Promise<Answer<Result>> {
  return ask('query', { query, time: seconds(atMs), limit: String(limit) }, stop)
}

export async function labelNames(metric: string | null, stop: AbortSignal): Promise<string[]> {
  return (await ask<string[]>('labels', metric === null ? {} : { 'match[]': metric }, stop)).data
}

export async function labelValues(label: string, metric: string | null, stop: AbortSignal): Promise<string[]> {
  const match = metric === null ? '' : `&match[]=${encodeURIComponent(metric)}`
  const answer = await fetch(`/api/v1/label/${encodeURIComponent(label)}/values?limit=500${match}`, { signal: stop })
  const body = (await answer.json()) as { data?: string[] }
  return body.data ?? []
}

/** Whether series are of more hosts than one. */
export function hostsDiffer(series: readonly Labels[]): boolean {
  return series.some(({ host }) => host !== series[0]?.host)
}

/** A series as people write it: its name, and the labels that tell it from others. Its host is one of them where others have another. */
export function nameOf(labels: Labels, withHost: boolean): string {
  const { __name__: name = '', host, ...rest } = labels
  const told = Object.entries(withHost && host !== undefined ? { host, ...rest } : rest).map(([label, value]) => `${label}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)
  if (told.length === 0) return name === '' ? '{}' : name
  return `${name}{${told.join(', ')}}`
}

/** Prometheus writes infinity and "not a number" in words. */
export function toNumber(text: string): number {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text)
}
