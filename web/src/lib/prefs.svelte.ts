import type { Zone } from './format'

export type Theme = 'system' | 'dark' | 'light'

/** What a person chose on this device. Kept in the browser; without storage it lasts until the page is closed. */
class Prefs {
  theme = $state<Theme>(choice('theme', ['system', 'dark', 'light']))
  zone = $state<Zone>(choice('zone', ['local', 'utc']))
  narrowSidebar = $state(read('sidebar') === 'narrow')
  shortcuts = $state(read('shortcuts') !== 'off')
  collapsed = $state.raw<ReadonlySet<string>>(new Set((read('collapsed') ?? '').split(',').filter((id) => id !== '')))
  recentRanges = $state.raw<readonly string[]>((read('ranges') ?? '').split('\n').filter((range) => range !== ''))
  /** Whether charts show what is usual. */
  usual = $state(read('usual') !== 'off')
  /** Who acts here, as the timeline of an incident says it. */
  person = $state(read('person') ?? '')
  /** Grows when the colours change, by choice or by the system. */
  colours = $state(0)

  constructor() {
    for (const query of ['(prefers-color-scheme: dark)', '(prefers-contrast: more)', '(forced-colors: active)']) {
      matchMedia(query).addEventListener('change', () => (this.colours += 1))
    }
  }

  setTheme(theme: Theme): void {
    this.theme = theme
    if (theme === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
    write('theme', theme)
    this.colours += 1
  }

  nextTheme(): void {
    this.setTheme(({ system: 'dark', dark: 'light', light: 'system' } as const)[this.theme])
  }

  setZone(zone: Zone): void {
    this.zone = zone
    write('zone', zone)
  }

  setUsual(on: boolean): void {
    this.usual = on
    write('usual', on ? 'on' : 'off')
  }

  setPerson(person: string): void {
    this.person = person.trim()
    write('person', this.person)
  }

  setNarrowSidebar(narrow: boolean): void {
    this.narrowSidebar = narrow
    write('sidebar', narrow ? 'narrow' : 'wide')
  }

  setShortcuts(on: boolean): void {
    this.shortcuts = on
    write('shortcuts', on ? 'on' : 'off')
  }

  setCollapsed(id: string, collapsed: boolean): void {
    const next = new Set(this.collapsed)
    if (collapsed) next.add(id)
    else next.delete(id)
    this.collapsed = next
    write('collapsed', [...next].join(','))
  }

  rememberRange(range: string): void {
    this.recentRanges = [range, ...this.recentRanges.filter((each) => each !== range)].slice(0, 5)
    write('ranges', this.recentRanges.join('\n'))
  }
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(`barograph.${key}`)
  } catch {
    return null
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(`barograph.${key}`, value)
  } catch {
    // Storage is full or switched off: the choice holds for this visit.
  }
}

function choice<T extends string>(key: string, allowed: readonly [T, ...T[]]): T {
  const value = read(key)
  return allowed.find((each) => each === value) ?? allowed[0]
}

export const prefs = new Prefs()
