import { Document, isCollection, isMap, isNode, isScalar, isSeq, LineCounter, Pair, parseDocument, Scalar, stringify, type Node } from 'yaml'

/** The way from a document to one of its parts; items are counted from 0. */
export type Path = readonly (string | number)[]

/**
 * A text that is changed in one place and stays as it is in all others: a value takes the place of a value letter by letter; where parts come
 * or go, the whole is laid out anew with its comments.
 */
export class YamlText {
  readonly #lines = new LineCounter()
  readonly #document: Document.Parsed

  constructor(readonly text: string) {
    this.#document = parseDocument(text, { lineCounter: this.#lines, keepSourceTokens: false, prettyErrors: false, uniqueKeys: true })
  }

  /** Why it cannot be read; with it no form is possible. */
  get broken(): boolean {
    return this.#document.errors.length > 0 || !(this.#document.contents === null || isMap(this.#document.contents) || this.#empty)
  }

  get #empty(): boolean {
    return isScalar(this.#document.contents) && this.#document.contents.value === null
  }

  /** What it says. */
  value(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 100 })
    } catch {
      return null
    }
  }

  /** The text with another value there; `order` says which fields come after which where one is new. */
  set(path: Path, value: unknown, order: readonly string[] = []): string {
    const node = this.#document.getIn(path, true)
    if (isScalar(node) && isPlain(value)) {
      const replaced = this.#replaced(node, value)
      if (replaced !== null) return replaced
    }
    if (node === undefined) this.#add(path, value, order)
    else this.#document.setIn(path, this.#made(value))
    return this.#print()
  }

  /** The text without this part, and without the list that it was the last of. */
  remove(path: Path): string {
    this.#document.deleteIn(path)
    const above = path.slice(0, -1)
    if (typeof path.at(-1) === 'number' && above.length > 0) {
      const list = this.#document.getIn(above, true)
      if (isSeq(list) && list.items.length === 0) this.#document.deleteIn(above)
    }
    return this.#print()
  }

  /** The text with an item of a list in another place. */
  move(path: Path, from: number, to: number): string {
    const list = this.#document.getIn(path, true)
    if (isSeq(list)) {
      const [item] = list.items.splice(from, 1)
      if (item !== undefined) list.items.splice(to, 0, item)
    }
    return this.#print()
  }

  /** The innermost part that begins there or before it on the way, both from 1. */
  pathAt(line: number, column: number): Path {
    const start = this.#lines.lineStarts[line - 1]
    if (start === undefined) return []
    const at = start + column - 1
    const path: (string | number)[] = []
    let node: unknown = this.#document.contents
    while (isCollection(node)) {
      const part = partsOf(node).findLast(({ from }) => from <= at)
      if (part === undefined) break
      path.push(part.key)
      node = part.value
    }
    return path
  }

  /** The line in which a part begins, from 1. */
  lineOf(path: Path): number | null {
    const node = this.#document.getIn(path, true)
    return isNode(node) && node.range ? this.#lines.linePos(node.range[0]).line : null
  }

  #replaced(node: Scalar, value: string | number | boolean): string | null {
    if (!node.range || (typeof value === 'string' && value.includes('\n')) || node.type === 'BLOCK_FOLDED' || node.type === 'BLOCK_LITERAL') return null
    const [from, to] = node.range
    // A field that is named and has no value: there is no letter to replace.
    if (from === to) return null
    // Quotes about nothing are not what somebody chose.
    return this.text.slice(0, from) + written(value, node.value === '' ? undefined : node.type) + this.text.slice(to)
  }

  #add(path: Path, value: unknown, order: readonly string[]): void {
    const [above, key] = [path.slice(0, -1), path.at(-1)]
    if (this.#document.contents === null || this.#empty) (this.#document as Document).contents = this.#document.createNode({})
    const parent = above.length === 0 ? this.#document.contents : this.#document.getIn(above, true)
    if (!isMap(parent) || typeof key !== 'string') {
      this.#document.setIn(path, this.#made(value))
      return
    }
    const rank = order.indexOf(key)
    const after = rank < 0 ? -1 : parent.items.findIndex((pair) => order.indexOf(nameOf(pair.key)) > rank)
    const pair = new Pair(this.#document.createNode(key), this.#made(value))
    if (after < 0) parent.items.push(pair as (typeof parent.items)[number])
    else parent.items.splice(after, 0, pair as (typeof parent.items)[number])
  }

  /** Short lists and small maps within lists stand on one line, as people write them. */
  #made(value: unknown): Node {
    const node = this.#document.createNode(value)
    if (isSeq(node) && node.items.every((item) => isScalar(item))) node.flow = true
    return node
  }

  #print(): string {
    const indent = /^( +)\S/m.exec(this.text)?.[1]?.length ?? 2
    const flush = /^(\s*)[\w"'-]+:\s*(?:#.*)?\n(?:\s*#.*\n)*\1- /m.test(this.text)
    return this.#document.toString({ lineWidth: 0, flowCollectionPadding: false, indent: indent > 1 && indent < 9 ? indent : 2, indentSeq: !flush })
  }
}

const isPlain = (value: unknown): value is string | number | boolean => ['string', 'number', 'boolean'].includes(typeof value)

/** A value as it is written within a line, in braces or not. */
function written(value: string | number | boolean, type: Scalar['type'] | undefined): string {
  const scalar = new Scalar(value)
  if (typeof value === 'string' && (type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE')) scalar.type = type
  const list = new Document([]).createNode([scalar], { flow: true })
  return stringify(list, { lineWidth: 0, flowCollectionPadding: false }).trimEnd().slice(1, -1)
}

function partsOf(node: unknown): { key: string | number; value: unknown; from: number }[] {
  if (isMap(node)) return node.items.map(({ key, value }) => ({ key: nameOf(key), value, from: startOf(key) }))
  return isSeq(node) ? node.items.map((value, key) => ({ key, value, from: startOf(value) })) : []
}

const nameOf = (key: unknown): string => String(isScalar(key) ? key.value : key)
const startOf = (node: unknown): number => (isNode(node) ? (node.range?.[0] ?? 0) : 0)
