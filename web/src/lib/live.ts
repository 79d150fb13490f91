import { untrack } from 'svelte'
import type { Monitor } from '../data/monitor.svelte'

/** The range that is shown, for a question asked once: follows a choice of another range, but not every tick. `toMs` is null while it is live. */
export function rangeNow(monitor: Monitor): { fromMs: number; toMs: number | null } {
  void monitor.range
  return untrack(() => ({ fromMs: monitor.fromMs, toMs: monitor.live ? null : monitor.toMs }))
}
