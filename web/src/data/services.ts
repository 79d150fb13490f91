/** The services, as docs/api/http.md describes them. */

export interface Service {
  name: string
  display_name: string
  state: string
  native_state: string
  start_mode: string | null
  should_run: boolean
  kind: string | null
  command: string | null
  unit_file: string | null
  pid: number | null
  exit_code: number | null
  memory_bytes: number | null
  cpu_seconds: number | null
}

export interface Services {
  time_ms: number
  total: number
  failed: number
  services: Service[]
}

/** It has failed, or should run and does not. */
export function isFailed({ state, should_run }: Service): boolean {
  return state === 'failed' || (should_run && state === 'stopped')
}

const RANKS = ['starting', 'stopping', 'paused', 'running', 'done', 'stopped']

/** What needs attention comes first. */
export function rankOf(service: Service): number {
  return isFailed(service) ? -1 : RANKS.indexOf(service.state)
}
