import { router } from '../lib/router.svelte'
import type { Column } from './columns'
import type { Ordering } from './order'

/** What the address says about a table: its order, its filter and the row that is told in detail. */
export class TableView<Row> {
  constructor(
    readonly columns: () => readonly Column<Row>[],
    /** The column that it is sorted by at first. */
    readonly first: string,
    readonly key: (row: Row) => string,
  ) {}

  get filter(): string {
    return router.route.view.q ?? ''
  }

  get sort(): string {
    return router.route.view.sort ?? this.first
  }

  get selected(): string | null {
    return router.route.view.row ?? null
  }

  get column(): Column<Row> {
    const columns = this.columns()
    return columns.find((each) => each.id === this.sort && each.value !== undefined) ?? columns.find((each) => each.id === this.first) ?? (columns[0] as Column<Row>)
  }

  get descending(): boolean {
    return (router.route.view.dir ?? direction(this.column)) === 'desc'
  }

  get ordering(): Ordering<Row> {
    return { value: this.column.value ?? (() => null), descending: this.descending, key: this.key }
  }

  setFilter(q: string): void {
    router.view({ q })
  }

  select(key: string | null): void {
    router.view({ row: key ?? '' })
  }

  /** A second click on a title turns the order. */
  order(column: Column<Row>): void {
    const turned = this.descending ? 'asc' : 'desc'
    router.view({ sort: column.id, dir: column.id === this.sort ? turned : direction(column) })
  }
}

function direction<Row>({ largestFirst }: Column<Row>): string {
  return largestFirst === true ? 'desc' : 'asc'
}
