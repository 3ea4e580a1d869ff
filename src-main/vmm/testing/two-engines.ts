/** The same program on the interpreter and on the translator, in protected mode: both have to see the same. */
import { expect } from 'vitest'
import { InterpreterEngine } from '../cpu/engines/interpreter'
import { TranslatorEngine } from '../cpu/engines/translator'
import * as L from '../cpu/layout'
import { ProgramAssembler } from './program-assembler'
import { CODE, TestMachine, protect } from '../cpu/tests/test-machine'

export const RAX = 0
export const RCX = 1
export const RDX = 2
export const RBX = 3
export const RSI = 6
export const RDI = 7
const NO_REGISTER = 5
export const JNE = 0x85
export const JMP = 0xe9
export const CALL = 0xe8
export const RET = 0xc3
export const HLT = 0xf4
export const PAGE = 0x1000
export const OTHER_PAGE: number = CODE + PAGE

/** 32-bit code with addresses. */
export class Code extends ProgramAssembler {
  constructor(readonly base: number) {
    super(32)
  }
  get here(): number {
    return this.base + this.bytes.length
  }
  /** mov register, value; returns the address of the value. */
  load(register: number, value: number): number {
    this.raw(0xb8 | register)
    this.immediate(value, 4)
    return this.here - 4
  }
  /** add register, value */
  add(register: number, value: number): void {
    this.raw(0x81, 0xc0 | register)
    this.immediate(value, 4)
  }
  addRegister(register: number, other: number): void {
    this.instruction([0x01], 4, other, register)
  }
  /** mov [address], register */
  store(address: number, register: number): void {
    this.raw(0x89, (register << 3) | NO_REGISTER)
    this.immediate(address, 4)
  }
  storeByte(address: number, register: number): void {
    this.raw(0x88, (register << 3) | NO_REGISTER)
    this.immediate(address, 4)
  }
  increment(register: number): void {
    this.raw(0x40 | register)
  }
  /** dec register; jne label */
  again(register: number, label: number): void {
    this.raw(0x48 | register)
    this.jump([0x0f, JNE], label, true)
  }
}

interface Seen {
  readonly dump: string
  readonly retired: number
  readonly memory: string
}

export class World {
  readonly m: TestMachine
  readonly translator: TranslatorEngine | undefined

  constructor(threshold: number | undefined) {
    let translator: TranslatorEngine | undefined
    this.m = new TestMachine((core) => (threshold === undefined ? new InterpreterEngine(core) : (translator = new TranslatorEngine(core, { synchronous: true, threshold }))))
    this.translator = translator
    protect(this.m)
    this.m.vcpu.rip = CODE
  }
  put(code: Code): void {
    this.m.write(code.base, [...code.finish()])
  }
  run(): void {
    this.m.runToHalt(2 ** 29)
  }
  see(): Seen {
    const memory = Buffer.from(this.m.bytes.subarray(L.RAM_BASE + CODE, L.RAM_BASE + CODE + 4 * PAGE)).toString('base64')
    return { dump: this.m.vcpu.dump(), retired: this.m.vcpu.retired, memory }
  }
  /** Instructions of the program since then, and entries of regions: regions that are left all the time are worth nothing. */
  get entries(): number {
    return [...(this.translator?.cache.regions() ?? [])].reduce((sum, { runs }) => sum + runs, 0)
  }
}

/** Does the same with the interpreter and the translator; both have to see the same. */
export const both = (program: (world: World) => void, threshold = 2): TranslatorEngine => {
  const [reference, world] = [new World(undefined), new World(threshold)]
  program(reference)
  program(world)
  expect(world.see()).toEqual(reference.see())
  const stats = world.translator!.translationStats()
  expect(stats).toMatchObject({ failures: 0, latestFailure: '' })
  expect(stats.regionsTranslated).toBeGreaterThan(0)
  return world.translator!
}
