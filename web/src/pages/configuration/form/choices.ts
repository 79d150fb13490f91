import type { FormModel } from './model.svelte'
import type { Schema } from './schema'

/** What can be named in a field, as far as it is known. */
export function choices(form: FormModel, { format, 'x-document': kind }: Schema): readonly string[] {
  if (kind !== undefined) return form.names(kind)
  if (format === 'target') return [['channel', 'channels'], ['person', 'people'], ['rota', 'rotas']].flatMap(([word, of]) => form.names(of as string).map((name) => `${word}:${name}`))
  return format === 'time-zone' ? zones() : []
}

let known: readonly string[] | undefined

function zones(): readonly string[] {
  return (known ??= ['UTC', ...Intl.supportedValuesOf('timeZone')])
}
