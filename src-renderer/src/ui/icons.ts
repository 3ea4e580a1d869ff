/** Own icons, drawn on a grid of 20. `tone` picks the colour from the theme. */

export interface IconPart {
  readonly d: string
  readonly tone?: 'go' | 'wait' | 'stop' | 'accent'
  /** Drawn as a line instead of filled. */
  readonly line?: boolean
}

export const ICONS = {
  'power-on': [{ d: 'M5.5 3.6a.8.8 0 0 1 1.2-.7l9.4 6.4a.85.85 0 0 1 0 1.4l-9.4 6.4a.8.8 0 0 1-1.2-.7z', tone: 'go' }],
  pause: [{ d: 'M5 3.5h3.2a.6.6 0 0 1 .6.6v11.8a.6.6 0 0 1-.6.6H5a.6.6 0 0 1-.6-.6V4.1a.6.6 0 0 1 .6-.6zm6.8 0H15a.6.6 0 0 1 .6.6v11.8a.6.6 0 0 1-.6.6h-3.2a.6.6 0 0 1-.6-.6V4.1a.6.6 0 0 1 .6-.6z', tone: 'wait' }],
  reset: [{ d: 'M15.9 8.2A6.3 6.3 0 1 0 16.2 12', tone: 'accent', line: true }, { d: 'M17.2 3.8v5.3h-5.3z', tone: 'accent' }],
  'shut-down': [{ d: 'M6.4 5.2a6.3 6.3 0 1 0 7.2 0M10 2.6v7', tone: 'stop', line: true }],
  'power-off': [{ d: 'M4.9 4h10.2a.9.9 0 0 1 .9.9v10.2a.9.9 0 0 1-.9.9H4.9a.9.9 0 0 1-.9-.9V4.9a.9.9 0 0 1 .9-.9z', tone: 'stop' }],
  keyboard: [{ d: 'M2.8 5.4h14.4a.8.8 0 0 1 .8.8v7.6a.8.8 0 0 1-.8.8H2.8a.8.8 0 0 1-.8-.8V6.2a.8.8 0 0 1 .8-.8zM5 8.3h.2m2.5 0h.2m2.6 0h.2m2.5 0h.2M5.6 11.6h8.8', line: true }],
  stretch: [{ d: 'M3 7.5V3h4.5M17 12.5V17h-4.5M3.4 3.4l5 5m8.2 8.2-5-5', line: true }],
  terminal: [{ d: 'M3.2 3.8h13.6a.9.9 0 0 1 .9.9v10.6a.9.9 0 0 1-.9.9H3.2a.9.9 0 0 1-.9-.9V4.7a.9.9 0 0 1 .9-.9zM5.6 7.2l2.9 2.7-2.9 2.7m5 .3h4', line: true }],
  // one text becoming another
  translator: [{ d: 'M2.8 4.6h6m-6 3.6h4.4M2.8 11.8h3M17.2 8.2h-4.4m4.4 3.6h-3m3 3.6h-6', line: true }, { d: 'M9 6.4l2.6 3.6L9 13.6', line: true, tone: 'accent' }],
  screen: [{ d: 'M2.8 3.8h14.4a.8.8 0 0 1 .8.8v8.6a.8.8 0 0 1-.8.8H2.8a.8.8 0 0 1-.8-.8V4.6a.8.8 0 0 1 .8-.8zM10 14v2.6m-3.6 0h7.2', line: true }],
  mouse: [{ d: 'M10 2.6a4.6 4.6 0 0 1 4.6 4.6v5.6a4.6 4.6 0 0 1-9.2 0V7.2A4.6 4.6 0 0 1 10 2.6zm0 2.6v3', line: true }],
  warning: [{ d: 'M10 2.4 18.4 17H1.6z', tone: 'wait' }],
} as const satisfies Record<string, readonly IconPart[]>

export type IconName = keyof typeof ICONS
