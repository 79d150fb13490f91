import { addressOf, check, Refusal, remove, save, type Check, type DocumentInfo, type DocumentText, type Problem } from '../../data/documents'
import type { Monitor } from '../../data/monitor.svelte'
import { getJson } from '../../data/protocol'
import { enConfiguration as names } from '../../en-configuration'
import { prefs } from '../../lib/prefs.svelte'
import { FormModel } from './form/model.svelte'
import { starterOf } from './starters'

const CHECK_AFTER_MS = 400
/** There is one document of this kind, and it is called so. */
const ONLY: Readonly<Record<string, string>> = { routes: 'default', watch: 'default' }

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** A document while it is worked on: read, checked as it changes, saved, deleted. Must be made while a component is set up. */
export class Editing {
  document = $state.raw<DocumentText | null>(null)
  readonly form: FormModel
  name = $state('')
  note = $state('')
  problem = $state('')
  said = $state('')
  busy = $state(false)
  /** Somebody else has changed it meanwhile. */
  conflict = $state(false)
  #checked = $state.raw<Check | null>(null)
  #refused = $state.raw<readonly Problem[]>([])
  readonly #starter: string

  constructor(
    readonly kind: string,
    readonly opened: string,
    readonly monitor: Monitor,
    documents: () => readonly DocumentInfo[],
    readonly onsaved: (name: string | null) => void,
    /** What a new one begins with, in place of what is usual. */
    starter: string | null,
  ) {
    this.name = opened === '' ? (ONLY[kind] ?? '') : opened
    this.#starter = starter ?? starterOf(kind, monitor.nowMs, prefs.person)
    this.form = new FormModel({ documents, problems: () => this.problems, metrics: () => monitor.metrics ?? new Map() })
    $effect(() => this.#check())
  }

  readonly fresh = $derived.by(() => this.opened === '')
  /** Whether people choose the name. */
  readonly named = $derived.by(() => this.fresh && !(this.kind in ONLY))
  readonly before = $derived.by(() => this.document?.text ?? (this.fresh ? this.#starter : ''))
  readonly changed = $derived.by(() => this.form.text !== this.before)
  readonly problems: readonly Problem[] = $derived.by(() => (this.#refused.length > 0 ? this.#refused : (this.#checked?.problems ?? [])))
  readonly checking = $derived.by(() => this.#checked === null && this.form.text !== '')

  async begin(): Promise<void> {
    if (this.fresh) this.form.text = this.#starter
    else await this.read()
  }

  async read(): Promise<void> {
    try {
      this.document = await getJson<DocumentText>(addressOf(this.kind, this.opened))
      this.form.text = this.document.text ?? ''
      this.problem = ''
      this.conflict = false
    } catch (error) {
      this.problem = messageOf(error)
    }
  }

  undo(): void {
    this.form.text = this.before
  }

  /** Writes over the version that was read, or over whichever there is now. */
  async write(over: 'read' | 'any' = 'read'): Promise<void> {
    const wanted = this.name.trim()
    if (wanted === '') {
      this.problem = names.unnamed
      return
    }
    const text = this.form.text
    await this.#act(async () => {
      const version = over === 'any' ? (await getJson<DocumentText>(addressOf(this.kind, wanted))).version : this.fresh ? 0 : (this.document?.version ?? 0)
      const outcome = await save(this.kind, wanted, text, { by: prefs.person, note: this.note, version })
      this.note = ''
      this.said = outcome.action === 'unchanged' ? names.unchanged : names.saved(outcome.version)
      this.document = { kind: this.kind, name: wanted, version: outcome.version, author: prefs.person, changed_ms: this.monitor.nowMs, text }
      this.onsaved(wanted)
    })
  }

  async drop(): Promise<void> {
    await this.#act(async () => {
      await remove(this.kind, this.opened, { by: prefs.person, note: this.note, version: this.document?.version ?? 0 })
      this.onsaved(null)
    })
  }

  async #act(what: () => Promise<void>): Promise<void> {
    this.busy = true
    this.problem = this.said = ''
    this.conflict = false
    try {
      await what()
    } catch (error) {
      const overtaken = error instanceof Refusal && error.status === 412
      this.conflict = overtaken && !this.fresh
      if (error instanceof Refusal) this.#refused = error.problems
      this.problem = this.conflict ? names.conflict : overtaken ? names.taken(this.name.trim()) : messageOf(error)
    } finally {
      this.busy = false
    }
  }

  /** What is typed is checked when the typing rests. */
  #check(): (() => void) | undefined {
    const [text, name] = [this.form.text, this.name === '' ? 'new' : this.name]
    this.#refused = []
    if (text === '') return undefined
    let stale = false
    const timer = setTimeout(() => {
      check(this.kind, name, text).then(
        (answer) => {
          if (stale) return
          this.#checked = answer
          if (answer.ok) this.form.sound = text
        },
        (error: unknown) => stale || (this.problem = messageOf(error)),
      )
    }, CHECK_AFTER_MS)
    return () => {
      stale = true
      clearTimeout(timer)
    }
  }
}
