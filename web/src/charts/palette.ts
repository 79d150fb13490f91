import type { ColorName } from './spec'

const TOKENS = {
  s1: '--s1', s2: '--s2', s3: '--s3', s4: '--s4', s5: '--s5', s6: '--s6', s7: '--s7', s8: '--s8',
  neutral: '--neutral', faint: '--bg-3', plain: '--text-1',
  usual: '--usual', info: '--accent', text: '--text-3', grid: '--grid', hatch: '--border-2', accent: '--accent', crit: '--crit', warn: '--warn', onAccent: '--on-accent', card: '--bg-1', track: '--bg-2',
} as const

export type Palette = Record<ColorName | keyof typeof TOKENS, string>

/** The tokens of the theme in force, resolved to colours that a canvas takes. */
export function readPalette(): Palette {
  const probe = document.createElement('span')
  // A canvas keeps its own colours: forced ones would make all series the same.
  probe.style.forcedColorAdjust = 'none'
  document.body.append(probe)
  const entries = Object.entries(TOKENS).map(([name, token]) => {
    probe.style.color = `var(${token})`
    return [name, getComputedStyle(probe).color]
  })
  probe.remove()
  return Object.fromEntries(entries) as Palette
}

/** Red, green, blue (0 to 255) of a resolved colour. */
export function channels(color: string): [number, number, number] {
  const parts = color.match(/[\d.]+/g)?.map(Number) ?? []
  return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0]
}

export function fade(color: string, alpha: number): string {
  const [red, green, blue] = channels(color)
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`
}
