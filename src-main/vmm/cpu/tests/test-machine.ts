/** A machine of one vCPU and some RAM for the system tests: guest memory by physical address, hand-assembled code, exceptions as they are recorded. */
import type { CpuIo, Engine, Exit } from '../engine'
import { engineUnderTest } from '../../testing/engine-under-test'
import * as L from '../layout'
import { createMachineCore } from '../machine-core'
import type { MachineCore } from '../machine-core'
import { Vcpu } from '../vcpu'

export const RAM_BYTES = 0x400000
const PAGE = 0x1000

export interface Fault {
  readonly vector: number
  /** undefined: no error code. */
  readonly error: number | undefined
}

export class TestMachine {
  readonly core: MachineCore
  readonly vcpu: Vcpu
  readonly engine: Engine
  readonly view: DataView
  readonly bytes: Uint8Array
  /** Port writes, as [port, value]. */
  readonly portWrites: [number, number][] = []
  readonly mmioWrites: [address: number, width: number, value: number][] = []
  readonly mmioReads: [address: number, width: number][] = []
  /** What acknowledge_interrupt answers. */
  interruptVector = -1
  portValue = 0xffffffff

  constructor(openEngine: (core: MachineCore) => Engine = engineUnderTest) {
    const io: CpuIo = {
      pioRead: () => this.portValue,
      pioWrite: (port, _width, value) => void this.portWrites.push([port, value]),
      mmioRead: (address, width) => {
        this.mmioReads.push([address, width])
        return 0x5a
      },
      mmioWrite: (address, width, value) => void this.mmioWrites.push([address, width, value]),
      readTsc: () => 0x123456789,
      acknowledgeInterrupt: () => {
        this.vcpu.setInterruptRequest(false)
        return this.interruptVector
      },
      readTaskPriority: () => 0,
      writeTaskPriority: () => undefined,
      readMsr: () => undefined,
      writeMsr: (index) => index === 0x1b,
      unknownOpcode: () => undefined,
    }
    this.core = createMachineCore({ ramBytes: RAM_BYTES, extraBytes: 0, io })
    this.view = new DataView(this.core.memory.buffer)
    this.bytes = new Uint8Array(this.core.memory.buffer)
    for (let page = 0; page < RAM_BYTES / PAGE; page++) this.mapPage(page * PAGE, L.RAM_BASE + page * PAGE, L.PHYS_READ | L.PHYS_WRITE)
    this.engine = openEngine(this.core)
    this.vcpu = new Vcpu(this.core)
    this.vcpu.setModel({})
    this.vcpu.reset()
  }

  mapPage(gpa: number, host: number, flags: number): void {
    this.view.setUint32(L.PHYSMAP + (gpa / PAGE) * 4, host === 0 ? 0 : (host | flags) >>> 0, true)
  }

  // ---- guest-physical memory --------------------------------------------------------------------------------------------------
  write(gpa: number, data: readonly number[]): void {
    this.bytes.set(data, L.RAM_BASE + gpa)
  }
  read8(gpa: number): number {
    return this.view.getUint8(L.RAM_BASE + gpa)
  }
  read16(gpa: number): number {
    return this.view.getUint16(L.RAM_BASE + gpa, true)
  }
  read32(gpa: number): number {
    return this.view.getUint32(L.RAM_BASE + gpa, true)
  }
  read64(gpa: number): bigint {
    return this.view.getBigUint64(L.RAM_BASE + gpa, true)
  }
  write8(gpa: number, value: number): void {
    this.view.setUint8(L.RAM_BASE + gpa, value)
  }
  write16(gpa: number, value: number): void {
    this.view.setUint16(L.RAM_BASE + gpa, value, true)
  }
  write32(gpa: number, value: number): void {
    this.view.setUint32(L.RAM_BASE + gpa, value, true)
  }
  write64(gpa: number, value: bigint): void {
    this.view.setBigUint64(L.RAM_BASE + gpa, value, true)
  }
  clear(gpa: number, bytes: number): void {
    this.bytes.fill(0, L.RAM_BASE + gpa, L.RAM_BASE + gpa + bytes)
  }

  // ---- the core's exports -----------------------------------------------------------------------------------------------------
  call(name: string, ...args: readonly number[]): number {
    return this.core.core(name)(this.vcpu.base, ...args)
  }
  call64(name: string, ...args: readonly (number | bigint)[]): number | bigint {
    return this.core.core64(name)(this.vcpu.base, ...args)
  }
  /** The recorded exception, which is forgotten. */
  takeFault(): Fault | undefined {
    const at = this.vcpu.base
    const vector = this.view.getInt32(at + L.EXC_VECTOR, true)
    if (vector < 0) return undefined
    this.view.setInt32(at + L.EXC_VECTOR, -1, true)
    return { vector, error: this.view.getInt32(at + L.EXC_HAS_ERROR, true) ? this.view.getUint32(at + L.EXC_ERROR, true) : undefined }
  }
  get faultAddress(): bigint {
    return this.view.getBigUint64(this.vcpu.base + L.EXC_ADDRESS, true)
  }
  get nextRip(): bigint {
    return this.view.getBigUint64(this.vcpu.base + L.REG_NEXT_RIP, true)
  }
  state32(offset: number): number {
    return this.view.getInt32(this.vcpu.base + offset, true)
  }

  // ---- running --------------------------------------------------------------------------------------------------------------------
  /** Puts code at a physical address; decoded code there is dropped. */
  code(gpa: number, bytes: readonly number[]): void {
    this.write(gpa, bytes)
    this.core.core('flush_code')()
  }
  run(budget = 1000): Exit {
    return this.engine.run(this.vcpu.base, budget)
  }
  /** Runs until HLT (one at CPL 0 leaves); fails otherwise. */
  runToHalt(budget = 1000): void {
    const exit = this.run(budget)
    if (exit.kind !== 'halted') throw new Error(`expected HLT, got ${exit.kind}\n${this.vcpu.dump()}`)
    this.vcpu.halted = false
  }
}

/** 8-byte descriptor. `flags`: AVL, L, D/B, G as in the high nibble (bit 0 AVL .. bit 3 G); `access`: the access byte. */
export function descriptor(base: number, limit: number, access: number, flags: number): bigint {
  const low = (BigInt(base & 0xffff) << 16n) | BigInt(limit & 0xffff)
  const high = ((base >>> 16) & 0xff) | (access << 8) | (((limit >>> 16) & 15) << 16) | ((flags & 15) << 20) | (base & 0xff000000)
  return low | (BigInt(high >>> 0) << 32n)
}

/** Interrupt, trap, task or call gate. */
export function gate(selector: number, offset: number, type: number, dpl = 0, parameters = 0): bigint {
  const low = ((selector & 0xffff) << 16) | (offset & 0xffff)
  const high = (offset & 0xffff0000) | 0x8000 | (dpl << 13) | (type << 8) | parameters
  return BigInt(low >>> 0) | (BigInt(high >>> 0) << 32n)
}

export const ACCESS_CODE = 0x9a
export const ACCESS_DATA = 0x92
export const DPL = (level: number): number => level << 5
export const FLAGS_32 = 0xc
export const FLAGS_16 = 0
export const FLAGS_64 = 0xa

// ---- a standard protected-mode world ---------------------------------------------------------------------------------------------
export const GDT = 0x1000
export const IDT = 0x2000
export const TSS = 0x3000
export const LDT = 0x3800
export const STACK_0 = 0x8000
export const STACK_3 = 0x9000
export const CODE = 0x10000
export const HANDLERS = 0x20000
/** Selectors in the GDT of `protect`. */
export const CODE_0 = 0x08
export const DATA_0 = 0x10
export const CODE_3 = 0x1b
export const DATA_3 = 0x23
export const TSS_SELECTOR = 0x28
export const CODE16_0 = 0x30
export const DATA16_0 = 0x38
/** First free slot. */
export const FREE = 0x48

/** GDT, IDT with a HLT for each vector (at HANDLERS + vector * 16), TSS with a ring 0 stack; 32-bit flat protected mode at ring 0. */
export function protect(m: TestMachine): void {
  m.clear(0, 0x40000)
  const entries = [
    0n,
    descriptor(0, 0xfffff, ACCESS_CODE, FLAGS_32),
    descriptor(0, 0xfffff, ACCESS_DATA, FLAGS_32),
    descriptor(0, 0xfffff, ACCESS_CODE | DPL(3), FLAGS_32),
    descriptor(0, 0xfffff, ACCESS_DATA | DPL(3), FLAGS_32),
    descriptor(TSS, 0x87, 0x89, 0),
    descriptor(0, 0xffff, ACCESS_CODE, FLAGS_16),
    descriptor(0, 0xffff, ACCESS_DATA, FLAGS_16),
    0n,
  ]
  entries.forEach((entry, i) => m.write64(GDT + i * 8, entry))
  for (let vector = 0; vector < 256; vector++) {
    m.write64(IDT + vector * 8, gate(CODE_0, HANDLERS + vector * 16, 14, vector === 0x80 || vector === 3 || vector === 4 ? 3 : 0))
    m.write(HANDLERS + vector * 16, [0xf4])
  }
  m.write32(TSS + 4, STACK_0)
  m.write32(TSS + 8, DATA_0)
  m.write16(TSS + 0x66, 0x68)
  m.vcpu.reset()
  m.vcpu.setProtectedFlat(CODE, { cs: CODE_0, ds: DATA_0, gdt: { base: GDT, limit: 0xfff } })
  m.vcpu.setTable('idtr', IDT, 0x7ff)
  m.vcpu.setGpr32('rsp', STACK_0 - 0x100)
  if (m.call('ltr', TSS_SELECTOR) !== 0) throw new Error('LTR failed')
  m.core.core('flush_code')()
}

/** Continues at ring 3 (flat 32-bit) from the world of `protect`. */
export function toUser(m: TestMachine, eip: number): void {
  m.vcpu.setSegment('cs', CODE_3, 0xc0fb00, 0, 0xffffffff)
  for (const name of ['ss', 'ds', 'es'] as const) m.vcpu.setSegment(name, DATA_3, 0xc0f300, 0, 0xffffffff)
  for (const name of ['fs', 'gs'] as const) m.vcpu.setSegment(name, 0, 0, 0, 0)
  m.vcpu.cpl = 3
  m.vcpu.setGpr32('rsp', STACK_3)
  m.vcpu.rip = eip
}
