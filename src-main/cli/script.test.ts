import { describe, expect, it } from 'vitest'
import { VmmError, type KeyEvent, type Machine } from '../vmm'
import { parseScript, ScriptRunner } from './script'

function failure(source: string): VmmError {
  try {
    parseScript(source, 'demo.script')
  } catch (error) {
    if (error instanceof VmmError) return error
    throw error
  }
  throw new Error(`accepted: ${source}`)
}

/** What a script sees of a machine, and a record of what it did to it. */
class FakeMachine {
  readonly did: string[] = []
  screen: readonly string[] = []
  time = 0
  wakes = 0
  disc: Promise<void> = Promise.resolve()

  now(): number {
    return this.time
  }
  wake(): void {
    this.wakes++
  }
  wakeAt(time: number): void {
    this.did.push(`wake at ${time}`)
  }
  screenText(): readonly string[] {
    return this.screen
  }
  type(events: readonly KeyEvent[]): void {
    this.did.push(`keys ${events.map(({ code, pressed }) => `${pressed ? '+' : '-'}${code}`).join(' ')}`)
  }
  typeText(text: string): void {
    this.did.push(`type ${text}`)
  }
  pressPowerButton(): void {
    this.did.push('power button')
  }
  changeCdrom(drive: number, path: string | undefined): Promise<void> {
    this.did.push(`cdrom ${drive} ${path ?? 'eject'}`)
    return this.disc
  }
}

function start(source: string): { machine: FakeMachine; runner: ScriptRunner; sent: () => string; pictures: string[] } {
  const machine = new FakeMachine()
  const sent: number[] = []
  const pictures: string[] = []
  const runner = new ScriptRunner(parseScript(source, 'test'), {
    machine: machine as unknown as Machine, // the part of it that scripts use
    send: (bytes) => void sent.push(...bytes),
    screenshot: (path) => {
      pictures.push(path)
      return Promise.resolve()
    },
  })
  return { machine, runner, sent: () => String.fromCharCode(...sent), pictures }
}

describe('script lines', () => {
  it('skip comments and empty lines, and keep their numbers', () => {
    const lines = parseScript('# one\r\n\r\n  wait 1\n\t\nsend x\n', 'name')
    expect(lines.map(({ line, source }) => [line, source])).toEqual([[3, 'wait 1'], [5, 'send x']])
  })

  it('may be empty', () => {
    expect(parseScript('', 'name')).toEqual([])
    expect(start('').runner.finished).toBe(true)
  })

  it('have escapes', () => {
    const { runner, sent } = start('send a\\n\\r\\t\\e\\\\\\x7f\\xC3 \\x41 ')
    runner.step()
    expect(sent()).toBe('a\n\r\t\x1b\\\x7f\xc3 A ')
  })

  it('send text beyond ASCII as UTF-8', () => {
    const { runner, sent } = start('send ä')
    runner.step()
    expect(sent()).toBe('\xc3\xa4')
  })

  it.each([
    ['jump 3', 'jump: no such action'],
    ['expect', 'regular expression'],
    ['expect   ', 'regular expression'],
    ['expect-screen', 'regular expression'],
    ['expect (', 'not a regular expression'],
    ['send a\\q', '\\q: no such escape'],
    ['send a\\', 'no such escape'],
    ['send \\x4', '\\x: no such escape'],
    ['type \\xg0', '\\x: no such escape'],
    ['key', 'not a key'],
    ['key ctrl-nothing', 'not a key'],
    ['screenshot', 'needs a path'],
    ['wait', 'seconds above 0'],
    ['wait 0', 'seconds above 0'],
    ['wait -1', 'seconds above 0'],
    ['wait soon', 'seconds above 0'],
    ['wait Infinity', 'seconds above 0'],
    ['cdrom', 'needs a path'],
    ['SEND x', 'no such action'],
  ])('refuse: %s', (line, part) => {
    const error = failure(`# first\n${line}\nsend ok`)
    expect(error.code).toBe('config/bad-option')
    expect(error.message).toContain('--script demo.script, line 2:')
    expect(error.message).toContain(part)
    expect(error.message).not.toContain('\n')
  })
})

describe('ScriptRunner', () => {
  it('waits for serial output, and goes on behind the match', () => {
    const { runner, sent } = start('expect b+\nsend 1\nexpect a\nsend 2')
    runner.step()
    expect(sent()).toBe('')
    runner.onSerial('aab')
    runner.step()
    expect(sent()).toBe('1') // the a's before the match are gone
    expect(runner.current?.line).toBe(3)
    runner.onSerial('a')
    runner.step()
    expect(sent()).toBe('12')
    expect(runner.finished).toBe(true)
  })

  it('matches ^ and $ at lines', () => {
    const { runner } = start('expect ^login: $')
    runner.onSerial('booted\nlogin: ')
    runner.step()
    expect(runner.finished).toBe(true)
  })

  it('keeps a bounded window of output', () => {
    const { runner } = start('expect start')
    runner.onSerial('start')
    runner.onSerial('x'.repeat(1 << 17))
    runner.step()
    expect(runner.finished).toBe(false)
  })

  it('waits for text on the screen', () => {
    const { machine, runner } = start('expect-screen ^C:.>$\npower-button')
    machine.screen = ['nothing', 'C:']
    runner.step()
    expect(machine.did).toEqual([])
    machine.screen = ['nothing', 'C:\\>']
    runner.step()
    expect(machine.did).toEqual(['power button'])
  })

  it('waits in the machine\'s time', () => {
    const { machine, runner } = start('wait 0.5\nwait 1')
    machine.time = 100
    runner.step()
    expect(machine.did).toEqual(['wake at 500000100'])
    machine.time = 500_000_099
    runner.step()
    expect(runner.current?.line).toBe(1)
    machine.time = 500_000_100
    runner.step()
    expect(machine.did.at(-1)).toBe('wake at 1500000100')
    machine.time = 1_500_000_100
    runner.step()
    expect(runner.finished).toBe(true)
  })

  it('types keys, text, and presses the button', () => {
    const { machine, runner } = start('key ctrl-alt-delete\nkey enter\ntype a\\tb\npower-button')
    runner.step()
    expect(machine.did).toEqual(['keys +ControlLeft +AltLeft +Delete -Delete -AltLeft -ControlLeft', 'keys +Enter -Enter', 'type a\tb', 'power button'])
  })

  it('finishes only when pictures are written and discs changed', async () => {
    const { machine, runner, pictures } = start('screenshot a b.png\ncdrom other.iso\ncdrom eject\nsend x')
    runner.step()
    expect(pictures).toEqual(['a b.png'])
    for (let turn = 0; turn < 6; turn++) {
      runner.step()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(machine.did).toEqual(['cdrom 0 other.iso', 'cdrom 0 eject'])
    expect(machine.wakes).toBe(3)
    expect(runner.finished).toBe(true)
    expect(runner.error).toBeUndefined()
  })

  it('keeps the error of what went wrong in the background', async () => {
    const { machine, runner } = start('cdrom nowhere.iso\nsend x')
    machine.disc = Promise.reject(new VmmError('file/not-found', 'no such file'))
    runner.step()
    await new Promise((resolve) => setImmediate(resolve))
    expect(runner.error?.message).toBe('no such file')
    expect(machine.wakes).toBe(1)
  })
})
