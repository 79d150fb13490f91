/** What `GET /api/status` answers, as far as the page shows it. */

export interface Collector {
  name: string
  state: string
  interval_ms: number
  duration_ms: number | null
  samples: number
  runs: number
  failures: number
  timeouts: number
  panics: number
  error: string | null
}

export interface Tier {
  tier: string
  bytes: number
  samples: number
  bytes_per_sample: number | null
  /** What a day adds while nothing expires. */
  bytes_per_day: number | null
  keep_ms: number | null
  max_bytes: number | null
  /** Days until its budget is reached. */
  full_days: number | null
}

export interface Storage {
  tiers: readonly Tier[]
  disk_free_bytes: number | null
  disk_full_days: number | null
}

export interface Status {
  version: string
  trouble: string | null
  newest_ms: number
  live_series: number
  live_connections: number
  ticks: number
  missed_ticks: number
  clock_jumps: number
  /** Intervals between two readings: above 1, collecting is over its budget. */
  pace: number
  own: { cpu_percent: number | null; resident_bytes: number | null; threads: number | null; handles: number | null; over: readonly string[] } | null
  collectors: readonly Collector[]
  store: {
    series: number
    samples: number
    disk_bytes: number
    head_bytes: number
    partitions: number
    oldest_ms: number | null
    newest_ms: number | null
    waiting_batches: number
    lost_batches: number
    refused_samples: number
    damaged_parts: number
    /** What somebody has to look into. */
    problems: readonly string[]
    storage: Storage
  }
}
