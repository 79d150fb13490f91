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
