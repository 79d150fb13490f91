/** What the machine is made of, as docs/api/http.md describes it. */

export interface Inventory {
  time_ms: number
  computer: {
    name: string
    domain: string | null
    manufacturer: string | null
    model: string | null
    serial: string | null
    memory_bytes: number | null
    virtualisation: string | null
  }
  operating_system: { name: string | null; version: string | null; architecture: string | null; installed_ms: number | null; booted_ms: number | null }
  processors: { socket: number; name: string | null; cores: number | null; logical: number; maximum_hertz: number | null; current_hertz: number | null }[]
  memory_modules: {
    slot: string
    capacity_bytes: number
    transfers_per_second: number | null
    kind: string | null
    manufacturer: string | null
    part_number: string | null
    serial: string | null
  }[]
  disks: Disk[]
  drives: {
    mount_point: string
    label: string | null
    device: string
    file_system: string
    size_bytes: number
    free_bytes: number
    used_bytes: number
    used_percent: number | null
  }[]
  adapters: Adapter[]
  missing: string[]
}

export interface Disk {
  name: string
  model: string | null
  serial: string | null
  size_bytes: number
  rotational: boolean | null
  removable: boolean | null
}

export interface Adapter {
  name: string
  description: string | null
  mac: string | null
  kind: string
  manufacturer: string | null
  speed_bits_per_second: number | null
  addresses: string[]
  up: boolean
}
