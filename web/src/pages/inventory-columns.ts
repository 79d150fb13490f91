import type { Adapter, Disk, Inventory } from '../data/inventory'
import { en } from '../en'
import { enPages } from '../en-pages'
import { MISSING, text } from '../lib/format'
import type { Column } from '../tables/columns'

const names = enPages.inventory.columns
type Processor = Inventory['processors'][number]
type Module = Inventory['memory_modules'][number]

function column<Row>(id: string, title: string, value: (row: Row) => string | null, more: Partial<Column<Row>> = {}): Column<Row> {
  return { id, title, width: 100, text: (row) => value(row) || MISSING, ...more }
}

export const PROCESSOR_COLUMNS: readonly Column<Processor>[] = [
  column('socket', names.socket, (row) => String(row.socket)),
  column('name', names.model, (row) => row.name),
  column('cores', names.cores, (row) => text(row.cores, 'count'), { right: true }),
  column('logical', names.logical, (row) => text(row.logical, 'count'), { right: true }),
  column('now', names.frequency, (row) => text(row.current_hertz, 'hertz'), { right: true }),
  column('most', names.frequencyMax, (row) => text(row.maximum_hertz, 'hertz'), { right: true }),
]

export const MODULE_COLUMNS: readonly Column<Module>[] = [
  column('slot', names.slot, (row) => row.slot),
  column('size', names.size, (row) => text(row.capacity_bytes, 'bytes'), { right: true }),
  column('kind', names.kind, (row) => row.kind),
  column('speed', names.transfers, (row) => (row.transfers_per_second === null ? null : text(row.transfers_per_second, 'count')), { right: true }),
  column('maker', names.manufacturer, (row) => row.manufacturer),
  column('part', names.part, (row) => row.part_number, { mono: true }),
  column('serial', names.serial, (row) => row.serial, { mono: true }),
]

export const DISK_COLUMNS: readonly Column<Disk>[] = [
  column('name', names.disk, (row) => row.name, { mono: true }),
  column('model', names.model, (row) => row.model),
  column('size', names.size, (row) => text(row.size_bytes, 'bytes'), { right: true }),
  column('kind', names.kind, (row) => (row.rotational === null ? null : row.rotational ? enPages.inventory.rotational : enPages.inventory.solid)),
  column('removable', names.removable, (row) => (row.removable === null ? null : row.removable ? en.services.yes : en.services.no)),
  column('serial', names.serial, (row) => row.serial, { mono: true }),
]

export const ADAPTER_COLUMNS: readonly Column<Adapter>[] = [
  column('name', names.adapter, (row) => row.name, { mono: true }),
  column('up', names.state, (row) => (row.up ? enPages.inventory.up : enPages.inventory.down)),
  column('kind', names.kind, (row) => row.kind),
  column('speed', names.speed, (row) => text(row.speed_bits_per_second, 'bitRate'), { right: true }),
  column('addresses', names.addresses, (row) => row.addresses.join(', '), { mono: true }),
  column('mac', names.mac, (row) => row.mac, { mono: true }),
  column('description', names.description, (row) => [row.manufacturer, row.description].filter(Boolean).join(' ')),
]
