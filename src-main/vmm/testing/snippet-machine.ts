/** A bare processor with RAM for tests and benches of the CPU: runs hand-assembled bytes in a mode, without a board. */
import type { CpuIo, Engine, Exit } from '../cpu/engine'
import * as L from '../cpu/layout'
import { createMachineCore } from '../cpu/machine-core'
import type { MachineCore } from '../cpu/machine-core'
import { engineUnderTest } from './engine-under-test'

export type CodeMode = 'real' | 'protected32' | 'long'

export const REGISTERS = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const
export type RegisterName = (typeof REGISTERS)[number]

/** Where code is put, where the stack starts, and the tables of long mode. */
export const CODE_ADDRESS = 0x8000
export const STACK_TOP = 0x7000
const PML4 = 0x100000
const RAM_BYTES = 4 << 20
const PAGE = 4096
const HLT = 0xf4

const CR0_PE = 1n
const CR0_ET = 0x10n
const CR0_PG = 0x80000000n
const CR4_PAE_OSFXSR = 0x620n
const EFER_LME_LMA = 0x500n
const CODE_ACCESS = 0x9b00
const DATA_ACCESS = 0x9300
const ACCESS_L = 0x200000
const ACCESS_DB = 0x400000
const ACCESS_G = 0x800000
const PAGE_LARGE_WRITABLE_PRESENT = 0x83n
const PAGE_WRITABLE_PRESENT = 3n
const MXCSR_DEFAULT = 0x1f80

export const silentIo: CpuIo = {
  pioRead: (_port, width) => 2 ** (8 * width) - 1,
  pioWrite: () => {},
  mmioRead: (_address, width) => 2 ** (8 * width) - 1,
  mmioWrite: () => {},
  readTsc: () => 0,
  acknowledgeInterrupt: () => -1,
  readTaskPriority: () => 0,
  writeTaskPriority: () => {},
  readMsr: () => undefined,
  writeMsr: () => false,
  unknownOpcode: () => {},
}

export class SnippetMachine {
  readonly machine: MachineCore
  readonly engine: Engine
  readonly vcpu: number = L.VCPU_BASE
  private readonly view: DataView
  private readonly ram: Uint8Array

  constructor(readonly mode: CodeMode, io: Partial<CpuIo> = {}, directory?: string) {
    const options = { ramBytes: RAM_BYTES, extraBytes: 0, io: { ...silentIo, ...io } }
    this.machine = createMachineCore(directory === undefined ? options : { ...options, directory })
    this.engine = engineUnderTest(this.machine)
    this.view = new DataView(this.machine.memory.buffer)
    this.ram = new Uint8Array(this.machine.memory.buffer, L.RAM_BASE, RAM_BYTES)
    for (let page = 0; page < RAM_BYTES / PAGE; page++) {
      this.view.setUint32(L.PHYSMAP + page * 4, (L.RAM_BASE + page * PAGE) | L.PHYS_READ | L.PHYS_WRITE, true)
    }
    this.reset()
  }

  // ---- state --------------------------------------------------------------------------------------------------------------------
  get(register: RegisterName): bigint {
    return this.view.getBigUint64(this.vcpu + L.REG_GPR + REGISTERS.indexOf(register) * 8, true)
  }
  set(register: RegisterName, value: bigint | number): void {
    this.view.setBigUint64(this.vcpu + L.REG_GPR + REGISTERS.indexOf(register) * 8, BigInt.asUintN(64, BigInt(value)), true)
  }
  state32(offset: number): number {
    return this.view.getInt32(this.vcpu + offset, true)
  }
  setState32(offset: number, value: number): void {
    this.view.setInt32(this.vcpu + offset, value, true)
  }
  state64(offset: number): bigint {
    return this.view.getBigUint64(this.vcpu + offset, true)
  }
  setState64(offset: number, value: bigint): void {
    this.view.setBigUint64(this.vcpu + offset, value, true)
  }
  get rip(): number {
    return Number(this.state64(L.REG_RIP))
  }
  get retired(): number {
    return Number(this.state64(L.RETIRED))
  }
  /** EFLAGS with the lazy status flags. */
  get flags(): number {
    return this.machine.core('read_eflags')(this.vcpu)
  }
  readonly memory = {
    bytes: (at: number, length: number): Uint8Array => this.ram.slice(at, at + length),
    u32: (at: number): number => this.view.getUint32(L.RAM_BASE + at, true),
    write: (at: number, bytes: readonly number[] | Uint8Array): void => {
      this.machine.core('invalidate_code_range')(at, bytes.length)
      this.ram.set(bytes, at)
    },
    writeU32: (at: number, value: number): void => this.view.setUint32(L.RAM_BASE + at, value, true),
    writeU64: (at: number, value: bigint): void => this.view.setBigUint64(L.RAM_BASE + at, value, true),
  }

  // ---- running ------------------------------------------------------------------------------------------------------------------
  /** Puts the bytes and a HLT behind them at CODE_ADDRESS and runs until HLT, a shutdown or the budget's end. */
  runSnippet(bytes: readonly number[], budget: number = 1_000_000): Exit {
    this.load(bytes)
    return this.engine.run(this.vcpu, budget)
  }

  load(bytes: readonly number[]): void {
    this.memory.write(CODE_ADDRESS, [...bytes, HLT])
    this.setState64(L.REG_RIP, BigInt(CODE_ADDRESS))
    this.setState32(L.HALTED, 0)
  }

  // ---- the mode -----------------------------------------------------------------------------------------------------------------
  private reset(): void {
    const { machine, vcpu } = this
    this.setState32(L.EXC_VECTOR, -1)
    this.setState32(L.REG_EFLAGS, 2)
    this.setState32(L.A20_MASK, -1)
    this.setState32(L.MXCSR, MXCSR_DEFAULT)
    this.setState64(L.IDTR_LIMIT, 0x3ffn)
    machine.core('reset_tlb')(vcpu)
    this.setState64(L.REG_CR0, this.mode === 'real' ? CR0_ET : CR0_ET | CR0_PE)
    const long = this.mode === 'long'
    const size = this.mode === 'real' ? 0 : ACCESS_G | (long ? ACCESS_L : ACCESS_DB)
    const limit = this.mode === 'real' ? 0xffff : 0xffffffff
    const setSegment = machine.core64('set_segment')
    for (let segment = 0; segment < L.SEG_LDTR; segment++) {
      const code = segment === L.SEG_CS
      const selector = this.mode === 'real' ? 0 : code ? 8 : 16
      const dataSize = long ? ACCESS_G | ACCESS_DB : size
      setSegment(vcpu, segment, selector, code ? CODE_ACCESS | size : DATA_ACCESS | dataSize, 0n, limit)
    }
    if (long) {
      this.memory.writeU64(PML4, BigInt(PML4 + PAGE) | PAGE_WRITABLE_PRESENT)
      this.memory.writeU64(PML4 + PAGE, BigInt(PML4 + 2 * PAGE) | PAGE_WRITABLE_PRESENT)
      for (let i = 0; i < 512; i++) this.memory.writeU64(PML4 + 2 * PAGE + i * 8, BigInt(i * 0x200000) | PAGE_LARGE_WRITABLE_PRESENT)
      this.setState64(L.REG_CR3, BigInt(PML4))
      this.setState64(L.REG_CR4, CR4_PAE_OSFXSR)
      this.setState64(L.MSR_EFER, EFER_LME_LMA)
      this.setState64(L.REG_CR0, CR0_ET | CR0_PE | CR0_PG)
    }
    machine.core('refresh_mode')(vcpu)
    this.set('rsp', STACK_TOP)
  }
}
