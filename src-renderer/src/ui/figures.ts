/** Figures short enough for a status bar. */

const UNITS = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const

export function count(n: number): string {
  for (const [size, unit] of UNITS) if (n >= size) return `${(n / size).toFixed(n >= size * 100 ? 0 : 1)} ${unit}`
  return String(Math.round(n))
}
