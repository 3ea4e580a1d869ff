/**
 * Runs batches on a vCPU of ours: long mode with page tables that give the program the same address space as the native harness does, and a little
 * kernel: every exception's handler is a HLT, at which the host looks at the stack frame; a case is entered with IRETQ. So interrupt delivery and
 * returning are exercised as well, and any engine can be plugged in.
 */
import type { CpuIo, Engine, Exit } from '../../cpu/engine'
import { InterpreterEngine } from '../../cpu/engines/interpreter'
import { TranslatorEngine } from '../../cpu/engines/translator'
import { buildDecoderTables } from '../../cpu/isa/decoder-tables'
import * as L from '../../cpu/layout'
import { createMachineCore } from '../../cpu/machine-core'
import type { MachineCore } from '../../cpu/machine-core'
import {
  CODE_BASE,
  CODE_PAGES,
  CODE_STRIDE,
  DATA_BASE,
  DATA_LIMIT_16,
  DATA_PAGES,
  DATA_WRITABLE_PAGES,
  NO_END_VECTOR,
  PAGE_BYTES,
  SEGMENT_BYTES_16,
  STACK_BASE,
  STACK_LIMIT_16,
  STACK_PAGES,
  STATE_ADDRESS,
  STATE_BYTES,
  STATE_ERROR,
  STATE_FX,
  STATE_GPR,
  STATE_MODE,
  STATE_RFLAGS,
  STATE_RIP,
  STATE_VECTOR,
  STATE_WORDS,
  codePages,
} from '../diff-engine'
import type { EmitRegion } from '../../cpu/engines/compile-regions'
import { emitRegion } from '../../cpu/translator/emit-region'
import type { DiffBatch, DiffCase, DiffEngine, MemoryImage, Outcome } from '../diff-engine'
import { Random } from '../random'
import { loadFx, saveFx } from './fx-state'
import { DecodedTranslator, newTally } from './translate-decoded'
import type { RegionTally } from './translate-decoded'

const RAM_BYTES = 0x200000
/** The kernel sees physical memory from here on. */
const KERNEL_BASE = 0xffff800000000000n

// guest-physical addresses
const PML4 = 0x1000
const USER_PDPT = 0x2000
const USER_PD = 0x3000
const KERNEL_PDPT = 0x4000
const KERNEL_PD = 0x5000
/** One page table for each of code, data and stack. */
const PAGE_TABLES = 0x6000
const GDT = 0x9000
const LDT = 0x9800
const IDT = 0xa000
const HANDLERS = 0xb000
const HANDLER_BYTES = 16
const IRETQ = 0xc000
const TSS = 0xc800
const ENTRY_FRAME = 0xd000
const KERNEL_STACK = 0xf000
const CODE_MEMORY = 0x100000
const DATA_MEMORY = 0x180000
const STACK_MEMORY = 0x190000

const VECTORS = 32
const BREAKPOINT_VECTOR = 3
const OVERFLOW_VECTOR = 4
const PAGE_FAULT_VECTOR = 14
const ERROR_CODE_VECTORS = new Set([8, 10, 11, 12, 13, 14, 17])

// page table entries
const PRESENT = 1n
const WRITABLE = 2n
const USER = 4n
const LARGE = 0x80n
const NO_EXECUTE = 1n << 63n

// selectors as Linux has them, so that what programs read is the same
const KERNEL_CS = 0x08
const TSS_SELECTOR = 0x40
const LDT_SELECTOR = 0x50
const USER_CS_32 = 0x23
const USER_SS = 0x2b
const USER_CS_64 = 0x33
const ACCESS_CODE_64 = 0x00a09b00
const ACCESS_USER_CODE_32 = 0x00c0fb00
const ACCESS_USER_DATA = 0x00c0f300
const ACCESS_USER_CODE_64 = 0x00a0fb00
const ACCESS_CODE_16 = 0x0000fb00
const ACCESS_DATA_16 = 0x0000f300
const ACCESS_TSS_BUSY = 0x00008b00
const ACCESS_LDT = 0x00008200
/** Local descriptors of 16-bit programs: the code segments, data, stack. */
const CODE_SEGMENTS = (CODE_PAGES * CODE_STRIDE) / SEGMENT_BYTES_16
const DATA_SEGMENT = CODE_SEGMENTS
const STACK_SEGMENT = CODE_SEGMENTS + 1
const ldtSelector = (index: number): number => (index << 3) | 7
const MODE_16 = 2

const CR0 = 0x80050033
/** PAE, PGE, OSFXSR, OSXMMEXCPT. */
const CR4 = 0x6a0
/** SCE, LME, LMA, NXE. */
const EFER = 0xd01
const EFLAGS_KEPT_OUT_OF_STATUS = 0x2

interface DataSegment {
  readonly selector: number
  readonly access: number
  readonly base: number
  readonly limit: number
}
const DATA_FLAT: DataSegment = { selector: USER_SS, access: ACCESS_USER_DATA, base: 0, limit: 0xffffffff }
const DATA_16: DataSegment = { selector: ldtSelector(DATA_SEGMENT), access: ACCESS_DATA_16, base: DATA_BASE, limit: DATA_LIMIT_16 }
const DATA_BOUNDED: DataSegment = { ...DATA_FLAT, limit: DATA_BASE + DATA_PAGES * PAGE_BYTES - 1 }

const BUDGET = 20_000
const SLICES = [1, 1, 2, 3, 5, 7, 11, 50, 300]
const STOPS_MAX = 500
const POINTERS = [L.FPU_OPCODE, L.FPU_CS, L.FPU_IP, L.FPU_IP + 4, L.FPU_DP, L.FPU_DP + 4, L.FPU_DS] as const

const NO_IO: CpuIo = {
  pioRead: () => 0xffffffff,
  pioWrite: () => undefined,
  mmioRead: () => 0xffffffff,
  mmioWrite: () => undefined,
  readTsc: () => 0,
  acknowledgeInterrupt: () => -1,
  readTaskPriority: () => 0,
  writeTaskPriority: () => undefined,
  readMsr: () => undefined,
  writeMsr: () => false,
  unknownOpcode: () => undefined,
}

export interface EmulatedOptions {
  /** Of another build of the core than out/core. */
  readonly directory?: string
  /** false: DS and ES of 32-bit programs end with the data, so that their code is not flat. */
  readonly flat?: boolean
  /** Cases run in slices of random size instead of at once; what the vCPU is like after each becomes part of the outcome. */
  readonly sliceSeed?: number
  /** The translator translates as it goes, each block before it runs this often, instead of all code after a first run. */
  readonly threshold?: number
  /** Regions keep registers in locals, or in the vCPU, whether they have loops or not. */
  readonly resident?: boolean
  /** Regions are as short as those that are made sparingly. */
  readonly brief?: boolean
}

const openCore = (directory: string | undefined): MachineCore =>
  createMachineCore({
    ramBytes: RAM_BYTES,
    extraBytes: 0,
    io: NO_IO,
    decoderTables: buildDecoderTables([]),
    ...(directory !== undefined && { directory }),
  })

export const openInterpreter = (options: EmulatedOptions = {}): EmulatedEngine => {
  const core = openCore(options.directory)
  return new EmulatedEngine('interpreter', core, new InterpreterEngine(core), options)
}

export interface TranslatorOracle extends DiffEngine {
  readonly engine: EmulatedEngine
  readonly tally: RegionTally
}

/**
 * Runs each batch twice: the first time in the interpreter, which decodes it, then translated. With a threshold once only, and what it tallies is then
 * not known.
 */
export const openTranslator = (options: EmulatedOptions = {}): TranslatorOracle => {
  const core = openCore(options.directory)
  const { resident, brief, threshold } = options
  const emitOptions = { ...(resident !== undefined && { resident }), ...(brief !== undefined && { brief }) }
  const emit: EmitRegion = (name, plan, helpers) => emitRegion(name, plan, helpers, emitOptions)
  if (threshold !== undefined) {
    const translating = new TranslatorEngine(core, { synchronous: true, threshold, emit })
    const engine = new EmulatedEngine('translator', core, translating, options)
    return { name: engine.name, engine, tally: newTally(), run: (batch) => engine.run(batch) }
  }
  const translator = new DecodedTranslator(core, emit)
  const engine = new EmulatedEngine('translator', core, translator.engine, options, translator)
  return { name: engine.name, engine, tally: translator.tally, run: (batch) => engine.run(batch) }
}

export class EmulatedEngine implements DiffEngine {
  private readonly view: DataView
  private readonly bytes: Uint8Array
  private readonly vcpu: number = L.VCPU_BASE

  constructor(
    readonly name: string,
    private readonly core: MachineCore,
    private readonly engine: Engine,
    private readonly options: EmulatedOptions = {},
    /** Translates what has been decoded. */
    private readonly translator?: DecodedTranslator | undefined,
  ) {
    this.view = new DataView(core.memory.buffer)
    this.bytes = new Uint8Array(core.memory.buffer)
    this.prepareMemory()
    this.prepareVcpu()
  }

  run(batch: DiffBatch): readonly Outcome[] {
    const { image } = batch
    this.bytes.set(codePages(batch), L.RAM_BASE + CODE_MEMORY)
    this.bytes.set(image.data, L.RAM_BASE + DATA_MEMORY)
    this.bytes.set(image.stack, L.RAM_BASE + STACK_MEMORY)
    this.core.core('flush_code')()
    this.core.core('reset_tlb')(this.vcpu)
    if (this.translator !== undefined) {
      this.translator.collect()
      for (const one of batch.cases) this.runCase(one, image)
      this.translator.translate(CODE_MEMORY, CODE_PAGES * PAGE_BYTES)
    }
    return batch.cases.map((one) => this.runCase(one, image))
  }

  // ---- one case -------------------------------------------------------------------------------------------------------------------
  private runCase(one: DiffCase, image: MemoryImage): Outcome {
    const { view, vcpu } = this
    const input = new DataView(one.state.buffer, one.state.byteOffset)
    this.enter(one, input)
    const before = view.getBigUint64(vcpu + L.RETIRED, true)
    const stops: number[] = []
    const exit = this.runSlices(Number(input.getBigUint64(STATE_RIP, true)), before, stops)
    const internal = [...this.readInternal(before), ...stops]
    const outcome = new Uint8Array(STATE_BYTES)
    const output = new DataView(outcome.buffer)
    for (let i = 0; i < 16; i++) output.setBigUint64(STATE_GPR + i * 8, view.getBigUint64(vcpu + L.REG_GPR + i * 8, true), true)
    output.setUint32(STATE_MODE, input.getUint32(STATE_MODE, true), true)
    saveFx(this.core.memory, vcpu, outcome.subarray(STATE_FX))
    if (exit.kind === 'halted') {
      this.readFrame(output)
    } else {
      output.setUint32(STATE_VECTOR, NO_END_VECTOR, true)
      output.setBigUint64(STATE_RIP, view.getBigUint64(vcpu + L.REG_RIP, true), true)
      this.prepareVcpu()
    }
    const words = this.takeChanges(image)
    output.setUint32(STATE_WORDS, words.length, true)
    return { state: outcome, words, internal }
  }

  /** Runs a case to its end; digests of the vCPU after each slice go to `stops`. */
  private runSlices(at: number, before: bigint, stops: number[]): Exit {
    const { sliceSeed } = this.options
    if (sliceSeed === undefined) return this.engine.run(this.vcpu, BUDGET)
    const random = new Random(sliceSeed ^ at)
    for (let left = BUDGET; ;) {
      const slice = Math.min(left, random.pick(SLICES))
      const exit = this.engine.run(this.vcpu, slice)
      left -= slice
      if (exit.kind !== 'deadline' || left === 0) return exit
      if (stops.length < STOPS_MAX) stops.push(this.digest(Number(this.view.getBigUint64(this.vcpu + L.RETIRED, true) - before)))
    }
  }

  /** Of all that a program can see of the vCPU. */
  private digest(retired: number): number {
    const { view, vcpu } = this
    let hash = this.core.core('read_eflags')(vcpu) ^ retired
    const mix = (from: number, end: number): void => {
      for (let at = vcpu + from; at < vcpu + end; at += 4) hash = (Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1) ^ (hash >>> 15)) | 0
    }
    mix(L.REG_GPR, L.REG_RIP + 8)
    mix(L.FPU_CW, L.MXCSR + 4)
    mix(L.FPU_REGS, L.XMM)
    for (let i = 0; i < 16; i++) mix(L.XMM + i * L.XMM_STRIDE, L.XMM + i * L.XMM_STRIDE + 16)
    return hash
  }

  /** Pointers of the last x87 instruction: only engines of ours agree on them. */
  private clearPointers(): void {
    for (const field of POINTERS) this.view.setUint32(this.vcpu + field, 0, true)
  }

  private readInternal(before: bigint): number[] {
    const { view, vcpu } = this
    return [Number(view.getBigUint64(vcpu + L.RETIRED, true) - before), ...POINTERS.map((field) => view.getUint32(vcpu + field, true))]
  }

  /** Sets up a case and the way into it. */
  private enter({ state }: DiffCase, input: DataView): void {
    const { view, vcpu } = this
    for (let i = 0; i < 16; i++) view.setBigUint64(vcpu + L.REG_GPR + i * 8, input.getBigUint64(STATE_GPR + i * 8, true), true)
    const mode = input.getUint32(STATE_MODE, true)
    const is16 = mode >= MODE_16
    const frame = [
      input.getBigUint64(STATE_RIP, true),
      BigInt(is16 ? ldtSelector(mode - MODE_16) : mode === 0 ? USER_CS_64 : USER_CS_32),
      input.getBigUint64(STATE_RFLAGS, true),
      input.getBigUint64(STATE_GPR + 4 * 8, true),
      BigInt(is16 ? ldtSelector(STACK_SEGMENT) : USER_SS),
    ]
    this.dataSegments(is16 ? DATA_16 : mode === 1 && this.options.flat === false ? DATA_BOUNDED : DATA_FLAT)
    frame.forEach((value, i) => this.write64(ENTRY_FRAME + i * 8, value))
    view.setBigUint64(vcpu + L.REG_GPR + 4 * 8, KERNEL_BASE + BigInt(ENTRY_FRAME), true)
    view.setBigUint64(vcpu + L.REG_RIP, KERNEL_BASE + BigInt(IRETQ), true)
    view.setInt32(vcpu + L.HALTED, 0, true)
    loadFx(this.core.memory, vcpu, state.subarray(STATE_FX))
    this.clearPointers()
  }

  /** The state of a case of the batch that ran last, after a number of instructions: what is looked into when two engines differ. */
  stateAfter(one: DiffCase, image: MemoryImage, instructions: number): Readonly<Record<string, string>> {
    const { view, vcpu } = this
    this.enter(one, new DataView(one.state.buffer, one.state.byteOffset))
    const exit = this.engine.run(vcpu, instructions)
    const fields: Record<string, string> = { exit: exit.kind, rip: view.getBigUint64(vcpu + L.REG_RIP, true).toString(16) }
    const hex = (name: string, at: number): void => void (fields[name] = view.getBigUint64(vcpu + at, true).toString(16))
    for (let i = 0; i < 16; i++) hex(`gpr${i}`, L.REG_GPR + i * 8)
    fields['flags'] = this.core.core('read_eflags')(vcpu).toString(16)
    for (let at = L.FPU_CW; at < L.MXCSR + 4; at += 8) hex(`fpu${at}`, at)
    for (let at = L.FPU_REGS; at < L.XMM; at += 8) hex(`st${at}`, at)
    for (let i = 0; i < 16; i++) for (const half of [0, 8]) hex(`xmm${i}.${half}`, L.XMM + i * L.XMM_STRIDE + half)
    fields['memory'] = this.takeChanges(image).join(' ')
    this.prepareVcpu()
    return fields
  }

  /** What the exception pushed. */
  private readFrame(output: DataView): void {
    const { view, vcpu } = this
    const handler = Number(view.getBigUint64(vcpu + L.REG_RIP, true) - KERNEL_BASE) - HANDLERS
    const vector = handler >> Math.log2(HANDLER_BYTES)
    let at = Number(view.getBigUint64(vcpu + L.REG_GPR + 4 * 8, true) - KERNEL_BASE)
    output.setUint32(STATE_VECTOR, vector, true)
    if (ERROR_CODE_VECTORS.has(vector)) {
      output.setUint32(STATE_ERROR, Number(this.read64(at)), true)
      at += 8
    }
    output.setBigUint64(STATE_RIP, this.read64(at), true)
    output.setBigUint64(STATE_RFLAGS, this.read64(at + 16), true)
    output.setBigUint64(STATE_GPR + 4 * 8, this.read64(at + 24), true)
    if (vector === PAGE_FAULT_VECTOR) output.setBigUint64(STATE_ADDRESS, view.getBigUint64(vcpu + L.REG_CR2, true), true)
  }

  private takeChanges(image: MemoryImage): (readonly [number, number, number])[] {
    const words: (readonly [number, number, number])[] = []
    this.compare(DATA_MEMORY, image.data, DATA_WRITABLE_PAGES * PAGE_BYTES, 0, words)
    this.compare(STACK_MEMORY, image.stack, STACK_PAGES * PAGE_BYTES, (DATA_PAGES * PAGE_BYTES) / 8, words)
    return words
  }

  /** Notes what changed and puts it back. */
  private compare(gpa: number, original: Uint8Array, bytes: number, first: number, words: (readonly [number, number, number])[]): void {
    const live = new Uint32Array(this.core.memory.buffer, L.RAM_BASE + gpa, bytes / 4)
    const image = new Uint32Array(original.buffer, original.byteOffset, bytes / 4)
    for (let i = 0; i < image.length; i += 2) {
      if (live[i] === image[i] && live[i + 1] === image[i + 1]) continue
      words.push([first + i / 2, live[i] as number, live[i + 1] as number])
      live[i] = image[i] as number
      live[i + 1] = image[i + 1] as number
    }
  }

  // ---- the little kernel --------------------------------------------------------------------------------------------------------------
  private prepareMemory(): void {
    for (let page = 0; page < RAM_BYTES / PAGE_BYTES; page++) {
      this.view.setUint32(L.PHYSMAP + page * 4, (L.RAM_BASE + page * PAGE_BYTES) | L.PHYS_READ | L.PHYS_WRITE, true)
    }
    const table = PRESENT | WRITABLE | USER
    this.write64(PML4, BigInt(USER_PDPT) | table)
    this.write64(USER_PDPT, BigInt(USER_PD) | table)
    this.write64(PML4 + 256 * 8, BigInt(KERNEL_PDPT) | PRESENT | WRITABLE)
    this.write64(KERNEL_PDPT, BigInt(KERNEL_PD) | PRESENT | WRITABLE)
    this.write64(KERNEL_PD, LARGE | PRESENT | WRITABLE)
    for (let page = 0; page < CODE_PAGES; page++) this.mapUser(CODE_BASE + page * CODE_STRIDE, CODE_MEMORY + page * PAGE_BYTES, 0n)
    for (let page = 0; page < DATA_PAGES; page++) {
      this.mapUser(
        DATA_BASE + page * PAGE_BYTES,
        DATA_MEMORY + page * PAGE_BYTES,
        NO_EXECUTE | (page < DATA_WRITABLE_PAGES ? WRITABLE : 0n),
      )
    }
    for (let page = 0; page < STACK_PAGES; page++)
      this.mapUser(STACK_BASE + page * PAGE_BYTES, STACK_MEMORY + page * PAGE_BYTES, NO_EXECUTE | WRITABLE)
    for (let i = 0; i < CODE_SEGMENTS; i++) this.localDescriptor(i, ACCESS_CODE_16, CODE_BASE + i * SEGMENT_BYTES_16, SEGMENT_BYTES_16 - 1)
    this.localDescriptor(DATA_SEGMENT, ACCESS_DATA_16, DATA_BASE, DATA_LIMIT_16)
    this.localDescriptor(STACK_SEGMENT, ACCESS_DATA_16, STACK_BASE, STACK_LIMIT_16)
    this.descriptor(KERNEL_CS, ACCESS_CODE_64)
    this.descriptor(USER_CS_32, ACCESS_USER_CODE_32)
    this.descriptor(USER_SS, ACCESS_USER_DATA)
    this.descriptor(USER_CS_64, ACCESS_USER_CODE_64)
    for (let vector = 0; vector < VECTORS; vector++) this.gate(vector)
    this.bytes.fill(0xf4, L.RAM_BASE + HANDLERS, L.RAM_BASE + HANDLERS + VECTORS * HANDLER_BYTES)
    this.bytes.set([0x48, 0xcf], L.RAM_BASE + IRETQ)
    this.write64(TSS + 4, KERNEL_BASE + BigInt(KERNEL_STACK))
    // no I/O permission bitmap
    this.view.setUint16(L.RAM_BASE + TSS + 0x66, 0x68, true)
  }

  private mapUser(linear: number, gpa: number, rights: bigint): void {
    const index = (linear >>> 21) & 0x1ff
    const which = [CODE_BASE, DATA_BASE, STACK_BASE].findIndex((base) => base >>> 21 === linear >>> 21)
    const table = PAGE_TABLES + which * PAGE_BYTES
    this.write64(USER_PD + index * 8, BigInt(table) | PRESENT | WRITABLE | USER)
    this.write64(table + ((linear >>> 12) & 0x1ff) * 8, BigInt(gpa) | PRESENT | USER | rights)
  }

  private descriptor(selector: number, access: number): void {
    const at = L.RAM_BASE + GDT + (selector & ~7)
    this.view.setUint32(at, 0xffff, true)
    this.view.setUint32(at + 4, access | 0xf0000, true)
  }

  private localDescriptor(index: number, access: number, base: number, limit: number): void {
    const at = L.RAM_BASE + LDT + index * 8
    this.view.setUint32(at, (limit & 0xffff) | (base << 16), true)
    this.view.setUint32(at + 4, access | ((base >>> 16) & 0xff) | (base & 0xff000000) | (limit & 0xf0000), true)
  }

  private gate(vector: number): void {
    const target = KERNEL_BASE + BigInt(HANDLERS + vector * HANDLER_BYTES)
    const dpl = vector === BREAKPOINT_VECTOR || vector === OVERFLOW_VECTOR ? 0x6000n : 0n
    const low = (target & 0xffffn) | (BigInt(KERNEL_CS) << 16n) | ((0x8e00n | dpl) << 32n) | (((target >> 16n) & 0xffffn) << 48n)
    this.write64(IDT + vector * 16, low)
    this.write64(IDT + vector * 16 + 8, target >> 32n)
  }

  private prepareVcpu(): void {
    const { view, vcpu } = this
    const state64 = (offset: number, value: bigint): void => view.setBigUint64(vcpu + offset, value, true)
    const state32 = (offset: number, value: number): void => view.setInt32(vcpu + offset, value, true)
    this.bytes.fill(0, vcpu, vcpu + L.TLB)
    state64(L.REG_CR0, BigInt(CR0))
    state64(L.REG_CR3, BigInt(PML4))
    state64(L.REG_CR4, BigInt(CR4))
    state64(L.MSR_EFER, BigInt(EFER))
    state64(L.REG_XCR0, 1n)
    state64(L.REG_DR6, 0xffff0ff0n)
    state64(L.REG_DR7, 0x400n)
    state64(L.GDTR_BASE, KERNEL_BASE + BigInt(GDT))
    state32(L.GDTR_LIMIT, 0x7f)
    state64(L.IDTR_BASE, KERNEL_BASE + BigInt(IDT))
    state32(L.IDTR_LIMIT, VECTORS * 16 - 1)
    state32(L.REG_EFLAGS, EFLAGS_KEPT_OUT_OF_STATUS)
    state32(L.A20_MASK, -1)
    state32(L.EXC_VECTOR, -1)
    this.segment(L.SEG_CS, KERNEL_CS, ACCESS_CODE_64, 0n, 0xffffffff)
    this.dataSegments(DATA_FLAT)
    this.segment(L.SEG_LDTR, LDT_SELECTOR, ACCESS_LDT, KERNEL_BASE + BigInt(LDT), (STACK_SEGMENT + 1) * 8 - 1)
    this.segment(L.SEG_TR, TSS_SELECTOR, ACCESS_TSS_BUSY, KERNEL_BASE + BigInt(TSS), 0x67)
    this.core.core('refresh_mode')(vcpu)
    this.core.core('reset_tlb')(vcpu)
  }

  /** DS and ES; what derives from them is computed on return to the program. */
  private dataSegments({ selector, access, base, limit }: DataSegment): void {
    for (const index of [L.SEG_DS, L.SEG_ES]) this.segment(index, selector, access, BigInt(base), limit)
  }

  private segment(index: number, selector: number, access: number, base: bigint, limit: number): void {
    const at = this.vcpu + L.SEGMENTS + index * L.SEG_BYTES
    this.view.setUint32(at + L.SEG_SELECTOR, selector, true)
    this.view.setUint32(at + L.SEG_ACCESS, access, true)
    this.view.setBigUint64(at + L.SEG_BASE, base, true)
    this.view.setUint32(at + L.SEG_LIMIT, limit, true)
  }

  private read64(gpa: number): bigint {
    return this.view.getBigUint64(L.RAM_BASE + gpa, true)
  }

  private write64(gpa: number, value: bigint): void {
    this.view.setBigUint64(L.RAM_BASE + gpa, value, true)
  }
}
