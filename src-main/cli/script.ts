/** Scripts of `vitrine run --script`: one action a line, carried out at the turns of the machine's run loop. */
import { VmmError, isKnownKey, parseChord, type KeyEvent, type Machine } from '../vmm'
import { regex } from './options'

type Action =
  | { readonly kind: 'expect' | 'expect-screen'; readonly pattern: RegExp }
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | { readonly kind: 'type'; readonly text: string }
  | { readonly kind: 'key'; readonly events: readonly KeyEvent[] }
  | { readonly kind: 'power-button' | 'shut-down' | 'restart' }
  | { readonly kind: 'pointer'; readonly x: number; readonly y: number; readonly buttons: number }
  | { readonly kind: 'screenshot'; readonly path: string }
  | { readonly kind: 'wait'; readonly nanoseconds: number }
  | { readonly kind: 'cdrom'; readonly path: string | undefined }
  | { readonly kind: 'balloon'; readonly bytes: number }

export interface ScriptLine {
  readonly line: number
  readonly source: string
  readonly action: Action
}

export function parseScript(source: string, name: string): readonly ScriptLine[] {
  return source.split(/\r?\n/).flatMap((raw, i) => {
    const trimmed = raw.trim()
    if (trimmed === '' || trimmed.startsWith('#')) return []
    return [{ line: i + 1, source: trimmed, action: parseLine(trimmed, raw, `--script ${name}, line ${i + 1}:`) }]
  })
}

function parseLine(trimmed: string, raw: string, where: string): Action {
  const [word = ''] = trimmed.split(/\s/, 1)
  const rest = raw.trimStart().slice(word.length + 1)
  const bad = (what: string): VmmError => new VmmError('config/bad-option', `${where} ${what}`)
  switch (word) {
    case 'expect':
    case 'expect-screen':
      if (rest.trim() === '') throw bad(`${word} needs a regular expression`)
      return { kind: word, pattern: regex(where, rest) }
    case 'send':
      return { kind: 'send', bytes: unescape(rest, bad) }
    case 'type':
      return { kind: 'type', text: new TextDecoder('latin1').decode(unescape(rest, bad)) }
    case 'key': {
      const events = parseChord(rest.trim(), isKnownKey)
      if (!events) throw bad(`key ${rest.trim()}: not a key; use names such as "enter", "f12", "ctrl-alt-delete"`)
      return { kind: 'key', events }
    }
    case 'power-button':
    case 'shut-down':
    case 'restart':
      return { kind: word }
    case 'pointer': {
      const [x = NaN, y = NaN, buttons = 0, ...more] = rest.trim().split(/\s+/).map(Number)
      const fits = (value: number, most: number): boolean => Number.isInteger(value) && value >= 0 && value <= most
      if (!fits(x, 0xffff) || !fits(y, 0xffff) || !fits(buttons, 7) || more.length > 0) throw bad('pointer needs a place, two numbers up to 65535, and may have buttons: 1 left, 2 right, 4 middle, or their sum')
      return { kind: 'pointer', x, y, buttons }
    }
    case 'screenshot':
      if (rest.trim() === '') throw bad('screenshot needs a path')
      return { kind: 'screenshot', path: rest.trim() }
    case 'wait': {
      const seconds = Number(rest)
      if (!(seconds > 0) || !Number.isFinite(seconds)) throw bad('wait needs a number of seconds above 0')
      return { kind: 'wait', nanoseconds: Math.round(seconds * 1e9) }
    }
    case 'balloon': {
      const mebibytes = Number(rest)
      if (!Number.isInteger(mebibytes) || mebibytes < 1) throw bad('balloon needs a size in MiB')
      return { kind: 'balloon', bytes: mebibytes * 0x100000 }
    }
    case 'cdrom':
      if (rest.trim() === '') throw bad('cdrom needs a path, or "eject"')
      return { kind: 'cdrom', path: rest.trim() === 'eject' ? undefined : rest.trim() }
    default:
      throw bad(`${word}: no such action; see vitrine --help`)
  }
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, e: 27, '\\': 92 }

function unescape(text: string, bad: (what: string) => VmmError): Uint8Array {
  const out: number[] = []
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      out.push(...new TextEncoder().encode(text[i]))
      continue
    }
    const next = text[++i] ?? ''
    const hex = /^[0-9a-fA-F]{2}$/.exec(text.slice(i + 1, i + 3))
    if (next === 'x' && hex) {
      out.push(parseInt(hex[0], 16))
      i += 2
    } else if (ESCAPES[next] !== undefined) out.push(ESCAPES[next])
    else throw bad(`\\${next}: no such escape; use \\n \\r \\t \\e \\\\ \\xNN`)
  }
  return Uint8Array.from(out)
}

export interface ScriptHost {
  readonly machine: Machine
  /** Bytes into COM1's receiver. */
  send(bytes: Uint8Array): void
  screenshot(path: string): Promise<void>
}

/** Serial output that expect has not passed yet; bounded. */
const WINDOW = 1 << 16

export class ScriptRunner {
  private next = 0
  private output = ''
  private waitUntil: number | undefined
  private working = false
  error: Error | undefined

  constructor(
    private readonly lines: readonly ScriptLine[],
    private readonly host: ScriptHost,
  ) {}

  get finished(): boolean {
    return this.next >= this.lines.length && !this.working
  }

  /** What it is waiting for, for the message at a timeout. */
  get current(): ScriptLine | undefined {
    return this.lines[this.next]
  }

  onSerial(text: string): void {
    this.output = (this.output + text).slice(-WINDOW)
  }

  /** Carries out everything that can be done now. Called at each turn of the run loop. */
  step(): void {
    while (!this.working) {
      const line = this.lines[this.next]
      if (!line || !this.perform(line.action)) return
      this.next++
    }
  }

  /** false: not yet. */
  private perform(action: Action): boolean {
    const { machine } = this.host
    switch (action.kind) {
      case 'expect': {
        const match = action.pattern.exec(this.output)
        if (!match) return false
        this.output = this.output.slice(match.index + match[0].length)
        return true
      }
      case 'expect-screen':
        return action.pattern.test(machine.screenText().join('\n'))
      case 'send':
        this.host.send(action.bytes)
        return true
      case 'type':
        machine.typeText(action.text)
        return true
      case 'key':
        machine.type(action.events)
        return true
      case 'power-button':
        machine.pressPowerButton()
        return true
      case 'shut-down':
        machine.shutDown()
        return true
      case 'restart':
        machine.restart()
        return true
      case 'pointer':
        machine.pointTo(action.x, action.y, 0, action.buttons)
        return true
      case 'wait':
        this.waitUntil ??= machine.now() + action.nanoseconds
        if (machine.now() < this.waitUntil) {
          machine.wakeAt(this.waitUntil)
          return false
        }
        this.waitUntil = undefined
        return true
      case 'screenshot':
        this.inBackground(this.host.screenshot(action.path))
        return true
      case 'balloon':
        if (!machine.setMemoryTarget(action.bytes)) this.error = new VmmError('config/contradiction', '--script: balloon: the machine has none; add --balloon')
        return true
      case 'cdrom':
        this.inBackground(machine.changeCdrom(0, action.path))
        return true
    }
  }

  private inBackground(work: Promise<void>): void {
    this.working = true
    work
      .catch((error: unknown) => {
        this.error = error instanceof Error ? error : new Error(String(error))
      })
      .finally(() => {
        this.working = false
        this.host.machine.wake()
      })
      .catch(() => undefined)
  }
}
