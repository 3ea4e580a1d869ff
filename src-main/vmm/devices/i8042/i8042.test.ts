import { describe, expect, it } from 'vitest'
import { describeDevice } from '../../testing/describe-device'
import { FakeClock, RecordingLine } from '../../testing/fake-clock'
import { I8042 } from './i8042'
import { isKnownKey, KEY_CODES, scanCodes } from './key-codes'
import { chord, parseChord, textToKeys } from './keyboard-text'
import type { I8042StateV1 } from './state'

class Bench {
  readonly clock = new FakeClock()
  readonly keyboardIrq = new RecordingLine()
  readonly mouseIrq = new RecordingLine()
  resets = 0
  a20: boolean[] = []
  leds: number[] = []
  readonly device = new I8042({
    timers: this.clock,
    keyboardIrq: this.keyboardIrq,
    mouseIrq: this.mouseIrq,
    requestReset: () => this.resets++,
    setA20: (enabled) => this.a20.push(enabled),
    ledsChanged: (leds) => this.leds.push(leds),
  })

  status(): number {
    return Number(this.device.pioRead(0x64, 1))
  }

  command(byte: number, data?: number): void {
    this.device.pioWrite(0x64, 1, byte)
    if (data !== undefined) this.device.pioWrite(0x60, 1, data)
  }

  /** A byte to the keyboard. */
  keyboard(byte: number): void {
    this.device.pioWrite(0x60, 1, byte)
  }

  mouse(byte: number): void {
    this.command(0xd4, byte)
  }

  /** Everything there is to read, with the time it takes. */
  drain(): number[] {
    const bytes: number[] = []
    for (let i = 0; i < 200; i++) {
      if ((this.status() & 1) !== 0) bytes.push(Number(this.device.pioRead(0x60, 1)))
      this.clock.advance(1_000_000)
    }
    return bytes
  }

  /** What a key sends. */
  key(code: string, pressed: boolean): number[] {
    this.device.keyboard.key(code, pressed)
    return this.drain()
  }
}

describeDevice<I8042StateV1>(
  'i8042',
  () => {
    const bench = new Bench()
    return { device: bench.device, clock: bench.clock }
  },
  ({ device }) => {
    const [data, command] = device.claims
    if (data?.kind !== 'pio' || command?.kind !== 'pio') throw new Error('no ports')
    command.handler.pioWrite(0x64, 1, 0x60)
    data.handler.pioWrite(0x60, 1, 0x47)
    command.handler.pioWrite(0x64, 1, 0xd4)
    data.handler.pioWrite(0x60, 1, 0xf2)
    data.handler.pioWrite(0x60, 1, 0xed)
    command.handler.pioWrite(0x64, 1, 0xd1)
  },
)

describe('controller', () => {
  it('passes its self-test and its interface tests', () => {
    const bench = new Bench()
    expect(bench.status() & 0x05).toBe(0)
    bench.command(0xaa)
    expect(bench.status() & 0x25).toBe(0x05)
    expect(bench.drain()).toEqual([0x55])
    for (const test of [0xa9, 0xab]) {
      bench.command(test)
      expect(bench.drain()).toEqual([0])
    }
  })

  it('keeps the command byte and the rest of its RAM', () => {
    const bench = new Bench()
    bench.command(0x60, 0x47)
    bench.command(0x65, 0x5a)
    bench.command(0x20)
    bench.command(0x25)
    expect(bench.drain()).toEqual([0x47, 0x5a])
    bench.command(0xa7)
    bench.command(0xad)
    bench.command(0x20)
    expect(bench.drain()).toEqual([0x77])
    bench.command(0xa8)
    bench.command(0xae)
    bench.command(0x20)
    expect(bench.drain()).toEqual([0x47])
  })

  it('switches A20 and pulses reset', () => {
    const bench = new Bench()
    bench.command(0xdd)
    bench.command(0xdf)
    bench.command(0xd1, 0xdd)
    bench.command(0xd1, 0xdf)
    expect(bench.a20).toEqual([false, true, false, true])
    expect(bench.resets).toBe(0)
    bench.command(0xff)
    expect(bench.resets).toBe(0)
    bench.command(0xfe)
    expect(bench.resets).toBe(1)
    bench.command(0xd1, 0x02)
    expect(bench.resets).toBe(2)
  })

  it('loops bytes back as from the keyboard and from the mouse, with their interrupts', () => {
    const bench = new Bench()
    bench.command(0xd2, 0x12)
    expect([bench.keyboardIrq.level, bench.mouseIrq.level, bench.status() & 0x21]).toEqual([true, false, 0x01])
    expect(bench.drain()).toEqual([0x12])
    bench.command(0xd3, 0x34)
    expect([bench.keyboardIrq.level, bench.mouseIrq.level, bench.status() & 0x21]).toEqual([false, true, 0x21])
    bench.command(0xd0)
    expect(bench.drain()).toEqual([0x34, 0x03 | 0x20])
    bench.command(0x60, 0)
    bench.command(0xd3, 0x34)
    expect(bench.mouseIrq.level).toBe(false)
  })

  it('raises the line anew for each byte; bytes come one at a time with a gap, and the last can be read again', () => {
    const bench = new Bench()
    bench.device.keyboard.key('KeyA', true)
    bench.device.keyboard.key('KeyA', false)
    expect(bench.keyboardIrq.rises).toBe(1)
    expect(bench.device.pioRead(0x60, 1)).toBe(0x1c)
    expect(bench.status() & 1).toBe(0)
    expect(bench.device.pioRead(0x60, 1)).toBe(0x1c)
    bench.clock.advance(1_000_000)
    expect(bench.keyboardIrq.rises).toBe(2)
    expect(bench.drain()).toEqual([0xf0, 0x1c])
  })

  it('an answer of the controller costs no gap: firmware that polls in no time gets the acknowledge that follows', () => {
    const bench = new Bench()
    bench.command(0xaa)
    expect(bench.device.pioRead(0x60, 1)).toBe(0x55)
    bench.keyboard(0xf4)
    expect(bench.status() & 1).toBe(1)
    expect(bench.device.pioRead(0x60, 1)).toBe(0xfa)
  })

  it('holds the keyboard back while its interface is off', () => {
    const bench = new Bench()
    bench.command(0xad)
    bench.device.keyboard.key('KeyA', true)
    expect(bench.drain()).toEqual([])
    bench.command(0xae)
    expect(bench.drain()).toEqual([0x1c])
  })

  it('a guest that asks and never reads cannot make it grow', () => {
    const bench = new Bench()
    for (let i = 0; i < 10_000; i++) {
      bench.command(0x20)
      bench.keyboard(0xf2)
      bench.mouse(0xe9)
      bench.device.mouse.move(1000, 1000, 1, i & 7)
      bench.device.keyboard.key('KeyA', true)
    }
    expect(JSON.stringify(bench.device.save()).length).toBeLessThan(2500)
  })

  it('goes on after a load in the middle of a sequence', () => {
    const bench = new Bench()
    bench.device.keyboard.key('ArrowUp', true)
    expect(bench.device.pioRead(0x60, 1)).toBe(0xe0)
    const other = new Bench()
    other.device.load(bench.device.save())
    expect(other.drain()).toEqual([0x75])
  })
})

describe('keyboard', () => {
  it('sends set 2, translated to set 1 when asked', () => {
    const bench = new Bench()
    expect([...bench.key('KeyA', true), ...bench.key('KeyA', false)]).toEqual([0x1c, 0xf0, 0x1c])
    bench.command(0x60, 0x43)
    expect([...bench.key('KeyA', true), ...bench.key('KeyA', false)]).toEqual([0x1e, 0x9e])
    expect([...bench.key('ArrowLeft', true), ...bench.key('ArrowLeft', false)]).toEqual([0xe0, 0x4b, 0xe0, 0xcb])
    expect([...bench.key('F7', true), ...bench.key('F7', false)]).toEqual([0x41, 0xc1])
  })

  it('sends set 1 by itself', () => {
    const bench = new Bench()
    bench.keyboard(0xf0)
    bench.keyboard(0x01)
    bench.keyboard(0xf0)
    bench.keyboard(0x00)
    expect(bench.drain()).toEqual([0xfa, 0xfa, 0xfa, 0xfa, 0x01])
    expect([...bench.key('Delete', true), ...bench.key('Delete', false)]).toEqual([0xe0, 0x53, 0xe0, 0xd3])
  })

  it('Pause and PrintScreen change with the modifiers', () => {
    const bench = new Bench()
    bench.command(0x60, 0x43)
    expect([...bench.key('Pause', true), ...bench.key('Pause', false)]).toEqual([0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5])
    expect([...bench.key('PrintScreen', true), ...bench.key('PrintScreen', false)]).toEqual([0xe0, 0x2a, 0xe0, 0x37, 0xe0, 0xb7, 0xe0, 0xaa])
    bench.key('ControlLeft', true)
    expect([...bench.key('Pause', true), ...bench.key('Pause', false)]).toEqual([0xe0, 0x46, 0xe0, 0xc6])
    bench.key('ControlLeft', false)
    bench.key('AltRight', true)
    expect([...bench.key('PrintScreen', true), ...bench.key('PrintScreen', false)]).toEqual([0x54, 0xd4])
  })

  it('the translated codes of all keys are distinct and every key breaks as it makes', () => {
    const seen = new Map<string, string>()
    const held = { shift: false, control: false, alt: false }
    for (const [code, entry] of KEY_CODES) {
      const make = scanCodes(code, true, 1, held)
      const text = make.join(' ')
      const other = seen.get(text)
      const isAlias = /^(OS|Volume|Lang5|F24)/.test(code)
      if (!isAlias) expect(other, `${code} and ${other ?? ''} both send ${text}`).toBeUndefined()
      if (!isAlias) seen.set(text, code)
      const last = make.at(-1) ?? 0
      if (!entry.makeOnly) expect(scanCodes(code, false, 1, held).at(-1)).toBe(last | 0x80)
    }
  })

  it('answers the commands', () => {
    const bench = new Bench()
    const talk = (...bytes: number[]): number[] => {
      for (const byte of bytes) bench.keyboard(byte)
      return bench.drain()
    }
    expect(talk(0xed, 0x05)).toEqual([0xfa, 0xfa])
    expect(bench.leds.at(-1)).toBe(5)
    expect(talk(0xee)).toEqual([0xee])
    expect(talk(0xf2)).toEqual([0xfa, 0xab, 0x83])
    expect(talk(0xf3, 0x20)).toEqual([0xfa, 0xfa])
    expect(talk(0xfe)).toEqual([0xfa])
    expect(talk(0x00)).toEqual([0xfe])
    expect(talk(0xf5)).toEqual([0xfa])
    expect(bench.key('KeyB', true)).toEqual([])
    expect(talk(0xf4)).toEqual([0xfa])
    expect(bench.key('KeyB', true)).toEqual([0x32])
    expect(talk(0xff)).toEqual([0xfa, 0xaa])
    expect(bench.leds.at(-1)).toBe(0)
    expect(talk(0xf0, 0x09)).toEqual([0xfa, 0xfe])
  })

  it('says so when its queue overflows, and whole codes only', () => {
    const bench = new Bench()
    let accepted = 0
    for (let i = 0; i < 100; i++) if (bench.device.keyboard.key('ArrowUp', true)) accepted++
    const bytes = bench.drain()
    expect(bytes).toHaveLength(accepted * 2 + 1)
    expect(bytes.at(-1)).toBe(0x00)
    expect(bench.device.keyboard.idle).toBe(true)
    expect(bench.device.keyboard.key('NoSuchKey', true)).toBe(false)
  })
})

describe('mouse', () => {
  function rates(bench: Bench, ...values: number[]): void {
    for (const rate of values) {
      bench.mouse(0xf3)
      bench.mouse(rate)
    }
    bench.drain()
  }
  const talk = (bench: Bench, ...bytes: number[]): number[] => {
    for (const byte of bytes) bench.mouse(byte)
    return bench.drain()
  }

  it('resets, identifies itself, and grows a wheel and two buttons after the knocks', () => {
    const bench = new Bench()
    expect(talk(bench, 0xff)).toEqual([0xfa, 0xaa, 0x00])
    expect(talk(bench, 0xf2)).toEqual([0xfa, 0x00])
    rates(bench, 200, 100, 80)
    expect(talk(bench, 0xf2)).toEqual([0xfa, 0x03])
    rates(bench, 200, 200, 80)
    expect(talk(bench, 0xf2)).toEqual([0xfa, 0x04])
    expect(talk(bench, 0xf6, 0xf2)).toEqual([0xfa, 0xfa, 0x04])
    expect(talk(bench, 0xff, 0xf2)).toEqual([0xfa, 0xaa, 0x00, 0xfa, 0x00])
  })

  it('streams packets: signs, buttons, wheel', () => {
    const bench = new Bench()
    bench.device.mouse.move(5, 5, 0, 1)
    expect(bench.drain()).toEqual([])
    talk(bench, 0xf4)
    bench.device.mouse.move(10, 3, 0, 1)
    expect(bench.mouseIrq.level).toBe(true)
    expect(bench.drain()).toEqual([0x29, 10, 0xfd])
    rates(bench, 200, 200, 80)
    bench.device.mouse.move(-1, 0, -2, 0x12)
    expect(bench.drain()).toEqual([0x1a, 0xff, 0x00, 0x2e])
  })

  it('splits large movements so that nothing is lost, merges what waits, and never merges clicks', () => {
    const bench = new Bench()
    talk(bench, 0xf4)
    bench.device.mouse.move(600, 0, 0, 0)
    bench.device.mouse.move(10, 0, 0, 0)
    const bytes = bench.drain()
    expect(bytes).toHaveLength(9)
    expect((bytes[1] ?? 0) + (bytes[4] ?? 0) + (bytes[7] ?? 0)).toBe(610)
    bench.device.mouse.move(0, 0, 0, 1)
    bench.device.mouse.move(0, 0, 0, 0)
    expect(bench.drain()).toEqual([0x09, 0, 0, 0x08, 0, 0])
  })

  it('remote mode reports when asked, with overflow', () => {
    const bench = new Bench()
    expect(talk(bench, 0xf0)).toEqual([0xfa])
    bench.device.mouse.move(1000, -20, 0, 2)
    expect(bench.drain()).toEqual([])
    expect(talk(bench, 0xeb)).toEqual([0xfa, 0x4a, 255, 20])
    expect(talk(bench, 0xeb)).toEqual([0xfa, 0x0a, 0, 0])
  })

  it('wrap mode echoes all but reset and leave', () => {
    const bench = new Bench()
    expect(talk(bench, 0xee, 0xf2, 0x12, 0xec, 0xf2)).toEqual([0xfa, 0xf2, 0x12, 0xfa, 0xfa, 0x00])
  })

  it('tells its status; scaling doubles', () => {
    const bench = new Bench()
    expect(talk(bench, 0xe8, 0x03, 0xf3, 60, 0xe7, 0xf4, 0xe9)).toEqual([0xfa, 0xfa, 0xfa, 0xfa, 0xfa, 0xfa, 0xfa, 0x30, 3, 60])
    bench.device.mouse.move(7, -4, 0, 0)
    expect(bench.drain()).toEqual([0x08, 14, 6])
    expect(talk(bench, 0xe8, 0x09)).toEqual([0xfa, 0xfc])
    expect(talk(bench, 0x01)).toEqual([0xfe])
  })
})

describe('text to keys', () => {
  it('types with shift where the US layout needs it', () => {
    expect(textToKeys('aB\r\n')).toEqual([...chord(['KeyA']), ...chord(['ShiftLeft', 'KeyB']), ...chord(['Enter'])])
    const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('')
    expect(textToKeys(printable).filter((event) => event.pressed && event.code !== 'ShiftLeft')).toHaveLength(95)
    expect(textToKeys('ü')).toEqual([])
    for (const event of textToKeys(printable)) expect(isKnownKey(event.code)).toBe(true)
  })

  it('reads chords by name', () => {
    expect(parseChord('ctrl-alt-delete', isKnownKey)).toEqual(chord(['ControlLeft', 'AltLeft', 'Delete']))
    expect(parseChord('f12', isKnownKey)).toEqual(chord(['F12']))
    expect(parseChord('ArrowUp', isKnownKey)).toEqual(chord(['ArrowUp']))
    expect(parseChord('a', isKnownKey)).toEqual(chord(['KeyA']))
    expect(parseChord('ctrl-nonsense', isKnownKey)).toBeUndefined()
  })
})
