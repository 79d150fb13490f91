/** Who talks and who listens, as docs/api/http.md describes it. */

export interface Listening {
  protocol: string
  port: number
  addresses: string[]
  connections: number | null
  pid: number | null
  process: string | null
}

export interface Connections {
  time_ms: number
  tcp: Record<string, number>
  udp_sockets: number
  listening: Listening[]
  complete: boolean
}

/** A process or an address with the sums of its TCP connections. */
export interface Talker {
  pid: number | null
  process: string | null
  remote_address: string | null
  connections: number
  sent_bytes_per_second: number | null
  received_bytes_per_second: number | null
}

export interface Talkers {
  why_no_bytes: string | null
  talkers: Talker[]
}
