/** Tests of people's pagers, as docs/api/http.md describes them. */

export type PagerState = 'sent' | 'answered' | 'missed' | 'late'

export interface PagerTest {
  sent_ms: number
  answer_by_ms: number
  answered_ms: number | null
  state: PagerState
  /** By channel and address. */
  ways: Record<string, { state: 'waiting' | 'delivered' | 'failed'; problem?: string }>
}

export interface Pager {
  person: string
  next_ms: number | null
  /** The newest first. */
  tests: PagerTest[]
}

export interface Pagers {
  people: Pager[]
}

export const pagersAddress = '/api/pager_tests'

/** Each way and what became of it, in one line. */
export function ways(test: PagerTest): string {
  const told = Object.entries(test.ways).map(([way, { state, problem }]) => `${way}: ${state}${problem === undefined ? '' : ` (${problem})`}`)
  return told.join(', ')
}
