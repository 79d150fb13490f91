import { askText } from '../../../data/documents'

/** What changes several times in a moment is asked once; what was asked before and is not answered yet is given up. */
const REST_MS = 50

export interface Asked<T> {
  readonly answer: T | null
  readonly problem: string
  readonly pending: boolean
}

/** What the server says of a text, anew whenever the text or the address changes. Must be made while a component is set up. */
export function whenResting<T>(wanted: () => { address: string; text: string } | null): Asked<T> {
  let answer = $state.raw<T | null>(null)
  let problem = $state('')
  let pending = $state(false)
  $effect(() => {
    const now = wanted()
    if (now === null) {
      answer = null
      problem = ''
      pending = false
      return undefined
    }
    const stop = new AbortController()
    pending = true
    const timer = setTimeout(() => {
      askText<T>(now.address, now.text, stop.signal).then(
        (found) => {
          answer = found
          problem = ''
          pending = false
        },
        (error: unknown) => {
          if (stop.signal.aborted) return
          problem = error instanceof Error ? error.message : String(error)
          pending = false
        },
      )
    }, REST_MS)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  })
  return { get answer() { return answer }, get problem() { return problem }, get pending() { return pending } }
}
