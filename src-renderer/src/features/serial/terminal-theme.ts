import type { ITheme } from '@xterm/xterm'

const LIGHT: ITheme = {
  background: '#ffffff', foreground: '#1f2328', cursor: '#1f2328', cursorAccent: '#ffffff', selectionBackground: '#b6d7ff',
  black: '#1f2328', red: '#b3261e', green: '#1f7a37', yellow: '#8a5a00', blue: '#0b5cad', magenta: '#8250a8', cyan: '#1b7c83', white: '#6e7781',
  brightBlack: '#57606a', brightRed: '#cf222e', brightGreen: '#2da44e', brightYellow: '#bf8700', brightBlue: '#218bff', brightMagenta: '#a475f9', brightCyan: '#3192aa', brightWhite: '#8c959f',
}
const DARK: ITheme = {
  background: '#1c1d20', foreground: '#dcdde0', cursor: '#dcdde0', cursorAccent: '#1c1d20', selectionBackground: '#2f5486',
  black: '#484f58', red: '#ff7b72', green: '#5fc97a', yellow: '#e0b252', blue: '#6cb2ff', magenta: '#d2a8ff', cyan: '#58c5d0', white: '#c9ccd1',
  brightBlack: '#7d858e', brightRed: '#ffa198', brightGreen: '#7ee08f', brightYellow: '#f2cc60', brightBlue: '#a5d0ff', brightMagenta: '#e2c5ff', brightCyan: '#8adfe6', brightWhite: '#f2f3f5',
}

export function terminalTheme(dark: boolean): ITheme {
  return dark ? DARK : LIGHT
}
