import type { DocumentInfo, Problem } from '../../../data/documents'
import type { MetricInfo } from '../../../data/protocol'
import { pathOfPlace, propertiesOf, resolved, type Schema } from './schema'
import { YamlText, type Path } from './yaml'

export interface PlacedProblem extends Problem {
  path: Path
}

/** What forms need from around them. */
export interface Surroundings {
  documents: () => readonly DocumentInfo[]
  problems: () => readonly Problem[]
  /** What can be asked for. */
  metrics: () => ReadonlyMap<string, MetricInfo>
}

/** A text and its form: both show the same, and each changes the other. */
export class FormModel {
  text = $state('')
  schema = $state.raw<Schema>({})
  /** The text as it was when the server last found nothing wrong with it: what is tried. */
  sound = $state('')
  /** The item of a list that was opened or written in last. */
  place = $state.raw<Path>([])
  readonly #yaml = $derived(new YamlText(this.text))
  readonly broken = $derived(this.#yaml.broken)
  readonly value = $derived(this.#yaml.broken ? null : this.#yaml.value())
  /** Whether what is tried is what is shown. */
  readonly settled = $derived(this.sound === this.text)
  readonly soundValue = $derived(new YamlText(this.sound).value())
  readonly placed: readonly PlacedProblem[] = $derived.by(() => this.around.problems().map((problem) => ({ ...problem, path: this.#pathOf(problem) })))

  constructor(readonly around: Surroundings) {}

  at(path: Path): unknown {
    let found: unknown = this.value
    for (const step of path) found = typeof found === 'object' && found !== null ? (found as Record<string | number, unknown>)[step] : undefined
    return found
  }

  set(path: Path, value: unknown, order: readonly string[] = []): void {
    this.#change((yaml) => yaml.set(path, value, order))
  }

  remove(path: Path): void {
    this.#change((yaml) => yaml.remove(path))
  }

  move(path: Path, from: number, to: number): void {
    this.#change((yaml) => yaml.move(path, from, to))
  }

  lineOf(path: Path): number | null {
    return new YamlText(this.text).lineOf(path)
  }

  /** What is wrong with exactly this part. */
  problemsAt(path: Path): PlacedProblem[] {
    return this.placed.filter((problem) => same(problem.path, path))
  }

  /** Whether something is wrong within this part. */
  troubled(path: Path): boolean {
    return this.placed.some((problem) => problem.severity === 'error' && problem.path.length >= path.length && same(problem.path.slice(0, path.length), path))
  }

  names(kind: string): string[] {
    return this.around.documents().filter((each) => each.kind === kind).map((each) => each.name)
  }

  /** A change is made on a text of its own: what is shown is read anew from what came of it. */
  #change(how: (yaml: YamlText) => string): void {
    const yaml = new YamlText(this.text)
    if (!yaml.broken) this.text = how(yaml)
  }

  /** The field that a mistake is about: by the way to it, else by its line and the field that it names. */
  #pathOf({ line, column, place, message }: Problem): Path {
    const told = pathOfPlace(place)
    const path = told !== null && this.at(told.slice(0, -1)) !== undefined ? told : line === null ? [] : this.#yaml.pathAt(line, column ?? 1)
    const schema = this.schemaAt(path)
    const named = /`([\w-]+)`/.exec(message)?.[1]
    const isPart = named !== undefined && schema !== null && propertiesOf(schema, this.schema, this.at(path)).some(({ name }) => name === named)
    return isPart ? [...path, named] : path
  }

  schemaAt(path: Path): Schema | null {
    let schema = resolved(this.schema, this.schema)
    for (const [depth, step] of path.entries()) {
      const part = typeof step === 'number' ? schema.items : propertiesOf(schema, this.schema, this.at(path.slice(0, depth))).find(({ name }) => name === step)?.schema
      if (part === undefined) return null
      schema = resolved(part, this.schema)
    }
    return schema
  }
}

const same = (a: Path, b: Path): boolean => a.length === b.length && a.every((step, i) => step === b[i])
