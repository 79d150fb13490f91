import type { enPages } from '../en-pages'

type Deed = keyof (typeof enPages)['keys']['rows']

/** The keys as they are listed; `Shortcuts.svelte` carries them out. */
export const KEYS: Record<keyof (typeof enPages)['keys']['groups'], { keys: string[]; does: Deed }[]> = {
  time: [
    { keys: ['[', ']'], does: 'earlier' },
    { keys: ['{', '}'], does: 'pan' },
    { keys: ['+', '−'], does: 'zoom' },
    { keys: ['C'], does: 'compare' },
    { keys: ['U'], does: 'usual' },
    { keys: ['Z'], does: 'back' },
    { keys: ['R'], does: 'range' },
    { keys: ['L'], does: 'live' },
    { keys: ['Space'], does: 'pause' },
  ],
  charts: [
    { keys: ['J', 'K'], does: 'next' },
    { keys: ['←', '→'], does: 'move' },
    { keys: ['Home', 'End'], does: 'ends' },
    { keys: ['P'], does: 'pin' },
    { keys: ['Esc'], does: 'unpin' },
  ],
  view: [
    { keys: ['G', 'then O, H, P, V, L, A, U, C, E, B, S'], does: 'go' },
    { keys: ['Ctrl K'], does: 'palette' },
    { keys: ['/'], does: 'filter' },
    { keys: ['T'], does: 'theme' },
    { keys: ['Y'], does: 'copy' },
    { keys: ['?'], does: 'help' },
  ],
}
