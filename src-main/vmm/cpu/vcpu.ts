/** A vCPU as the rest of the machine sees it: typed access to its registers in linear memory, reset, saved state, dump. */
import { VmmError } from '../errors/vmm-error'
import { writeCpuModel } from './cpuid'
import type { CpuModel } from './cpuid'
import * as L from './layout'
import * as S from './layout-system'
import type { FpuState, SegmentState, VcpuState } from './vcpu-state'
import { loadTlb, saveTlb } from './vcpu-tlb'

export type { VcpuState } from './vcpu-state'

/** What a Vcpu needs of MachineCore. */
export interface VcpuCore {
  readonly memory: WebAssembly.Memory
  core(name: string): (...args: readonly number[]) => number
}

export type GprName =
  | 'rax' | 'rcx' | 'rdx' | 'rbx' | 'rsp' | 'rbp' | 'rsi' | 'rdi' | 'r8' | 'r9' | 'r10' | 'r11' | 'r12' | 'r13' | 'r14' | 'r15'
export type SegmentName = 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs' | 'ldtr' | 'tr'
export type ControlName = 'cr0' | 'cr2' | 'cr3' | 'cr4' | 'xcr0' | 'efer'

const GPR_NAMES: readonly GprName[] = [
  'rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15',
]
const SEGMENT_NAMES: readonly SegmentName[] = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr']
const CONTROL_OFFSETS: Readonly<Record<ControlName, number>> = {
  cr0: L.REG_CR0, cr2: L.REG_CR2, cr3: L.REG_CR3, cr4: L.REG_CR4, xcr0: L.REG_XCR0, efer: L.MSR_EFER,
}
/** MSRs and their like with their offsets, as saved. */
const VCPU_MSRS: Readonly<Record<string, number>> = {
  efer: L.MSR_EFER,
  star: L.MSR_STAR,
  lstar: L.MSR_LSTAR,
  cstar: L.MSR_CSTAR,
  sfmask: L.MSR_SFMASK,
  kernelGsBase: L.MSR_KERNEL_GS_BASE,
  sysenterCs: L.MSR_SYSENTER_CS,
  sysenterEsp: L.MSR_SYSENTER_ESP,
  sysenterEip: L.MSR_SYSENTER_EIP,
  pat: L.MSR_PAT,
  apicBase: L.MSR_APIC_BASE,
  tscOffset: L.TSC_OFFSET,
  tscAux: L.MSR_TSC_AUX,
  miscEnable: S.MSR_MISC_ENABLE,
  mcgStatus: S.MSR_MCG_STATUS,
  syscfg: S.MSR_SYSCFG,
  hwcr: S.MSR_HWCR,
  biosSignId: S.MSR_BIOS_SIGN_ID,
}
const MTRRS = S.MTRR_VARIABLE_COUNT * 2 + 11 + 1
const DEBUG_REGISTERS = 6
const PDPTES = 4

const FLAG_TF = 0x100
const FLAG_ONE = 2
const FLAGS_STATUS = 0x8d5
const EFER_LMA_LME = 0x500
const CR0_PE = 1
const CR0_ET = 0x10
const CR0_NE = 0x20
const SW_ES = 0x80
const CR0_WP = 0x10000
const CR0_PG = 0x80000000
const CR0_CD_NW = 0x60000000
const CR4_PAE = 0x20
const PAT_RESET = 0x0007040600070406n
const APIC_BASE_RESET = 0xfee00800n
const APIC_BASE_BSP = 0x100n
const RESET_ACCESS_CODE = 0x9b00
const RESET_ACCESS_DATA = 0x9300
const RESET_ACCESS_LDT = 0x8200
const RESET_ACCESS_TSS = 0x8b00
const FLAT_CODE_32 = 0xc09b00
const FLAT_DATA_32 = 0xc09300
const FLAT_CODE_64 = 0xa09b00
const FPU_REGISTER_COUNT = 8
const XMM_COUNT = 16
const XMM_BYTES = 16
const RANDOM_SEED = 0x9e3779b97f4a7c15n

const hex = (value: bigint): string => BigInt.asUintN(64, value).toString(16).padStart(16, '0')

export interface FlatOptions {
  /** Selectors; the boot protocol's GDT says what they mean. */
  readonly cs?: number
  readonly ds?: number
  readonly tr?: number
  readonly gdt?: { readonly base: number; readonly limit: number }
}

export class Vcpu {
  private readonly view: DataView
  private readonly bytes: Uint8Array

  constructor(
    private readonly core: VcpuCore,
    /** Base address in linear memory: VCPU_BASE + index * VCPU_STRIDE. */
    readonly base: number = L.VCPU_BASE,
  ) {
    this.view = new DataView(core.memory.buffer)
    this.bytes = new Uint8Array(core.memory.buffer)
  }

  get index(): number {
    return (this.base - L.VCPU_BASE) / L.VCPU_STRIDE
  }

  /** Gives the processor its identity; once, before the first reset. */
  setModel(model: CpuModel, apicId: number = this.index): void {
    writeCpuModel(this.view, this.base, model, apicId)
    this.write64(S.RANDOM_STATE, RANDOM_SEED + BigInt(apicId))
  }

  // ---- registers ---------------------------------------------------------------------------------------------------------------
  gpr(register: number | GprName): bigint {
    return this.read64(this.gprOffset(register))
  }
  setGpr(register: number | GprName, value: bigint | number): void {
    this.write64(this.gprOffset(register), BigInt(value))
  }
  /** The low 32 bits, unsigned. */
  gpr32(register: number | GprName): number {
    return this.read32(this.gprOffset(register))
  }
  /** Sets all 64 bits to the zero-extended value. */
  setGpr32(register: number | GprName, value: number): void {
    this.write64(this.gprOffset(register), BigInt(value >>> 0))
  }
  get rip(): bigint {
    return this.read64(L.REG_RIP)
  }
  set rip(value: bigint | number) {
    this.write64(L.REG_RIP, BigInt(value))
    this.write64(L.REG_NEXT_RIP, BigInt(value))
  }
  /** RFLAGS with the lazy status flags computed. */
  get rflags(): number {
    return (this.read32(L.REG_EFLAGS) | this.core.core('status_flags')(this.base)) >>> 0
  }
  set rflags(value: number) {
    this.core.core('set_status_flags')(this.base, value)
    this.write32(L.REG_EFLAGS, (value & ~FLAGS_STATUS) | FLAG_ONE)
    this.refresh()
  }
  control(name: ControlName): bigint {
    return this.read64(CONTROL_OFFSETS[name])
  }
  /** Sets the register as it is, without the checks of MOV, and brings the derived state up to date. */
  setControl(name: ControlName, value: bigint | number): void {
    this.write64(CONTROL_OFFSETS[name], BigInt(value))
    this.core.core('reset_tlb')(this.base)
    this.refresh()
  }
  /** DR0..DR3, DR6, DR7 by number. */
  debug(register: number): bigint {
    return this.read64(this.debugOffset(register))
  }
  setDebug(register: number, value: bigint | number): void {
    this.write64(this.debugOffset(register), BigInt(value))
    this.core.core('reset_tlb')(this.base)
    this.refresh()
  }
  msr(name: string): bigint {
    return this.read64(this.msrOffset(name))
  }
  setMsr(name: string, value: bigint | number): void {
    this.write64(this.msrOffset(name), BigInt(value))
    this.refresh()
  }
  segment(name: SegmentName): SegmentState {
    return this.segmentState(SEGMENT_NAMES.indexOf(name))
  }
  /** Sets selector and hidden parts as they are, without looking at any table. */
  setSegment(name: SegmentName, selector: number, access: number, base: bigint | number, limit: number): void {
    this.storeSegment(SEGMENT_NAMES.indexOf(name), selector, access, BigInt(base), limit)
    this.refresh()
  }
  get cpl(): number {
    return this.read32(L.CPL)
  }
  /** Of the running code segment. */
  get codeBits(): 16 | 32 | 64 {
    const mode = this.read32(L.CODE_MODE)
    return mode === 2 ? 64 : mode === 1 ? 32 : 16
  }
  /** What the guest's TSC is ahead of the machine's time. */
  get tscOffset(): bigint {
    return this.read64(L.TSC_OFFSET)
  }
  /** Opens ports to code of every privilege level. */
  openPorts(first: number, last: number): void {
    this.write32(S.OPEN_PORTS, (first & 0xffff) | (last << 16))
  }
  set cpl(value: number) {
    this.write32(L.CPL, value)
    this.refresh()
  }
  table(name: 'gdtr' | 'idtr'): { readonly base: bigint; readonly limit: number } {
    return { base: this.read64(name === 'gdtr' ? L.GDTR_BASE : L.IDTR_BASE), limit: this.read32(name === 'gdtr' ? L.GDTR_LIMIT : L.IDTR_LIMIT) }
  }
  setTable(name: 'gdtr' | 'idtr', base: bigint | number, limit: number): void {
    this.write64(name === 'gdtr' ? L.GDTR_BASE : L.IDTR_BASE, BigInt(base))
    this.write32(name === 'gdtr' ? L.GDTR_LIMIT : L.IDTR_LIMIT, limit & 0xffff)
  }
  xmm(register: number): Uint8Array {
    const at = this.base + L.XMM + register * L.XMM_STRIDE
    return this.bytes.slice(at, at + XMM_BYTES)
  }
  setXmm(register: number, value: Uint8Array): void {
    this.bytes.set(value.subarray(0, XMM_BYTES), this.base + L.XMM + register * L.XMM_STRIDE)
  }
  /** Instructions retired since power-on, the running slice included. */
  get retired(): number {
    return Number(this.read64(L.RETIRED)) + (this.read32(L.SLICE) | 0) - (this.read32(L.BUDGET) | 0)
  }
  get halted(): boolean {
    return this.read32(L.HALTED) !== 0
  }
  set halted(value: boolean) {
    this.write32(L.HALTED, value ? 1 : 0)
  }

  // ---- requests from the board -----------------------------------------------------------------------------------------------------
  /** Level of the interrupt controllers' request (INTR). */
  setInterruptRequest(level: boolean): void {
    this.setAttention(L.ATTENTION_INTR, level)
  }
  raiseNmi(): void {
    this.setAttention(L.ATTENTION_NMI, true)
  }
  setA20(enabled: boolean): void {
    this.core.core('set_a20')(this.base, enabled ? 1 : 0)
  }
  /** Guest-physical address of a linear one (access 0 read, 1 write, 2 execute), or undefined. Nothing changes. */
  translate(linear: bigint, access: 0 | 1 | 2 = 0): number | undefined {
    const translate = this.core.core('translate') as unknown as (vcpu: number, linear: bigint, access: number) => bigint
    const address = translate(this.base, BigInt.asIntN(64, linear), access)
    return address < 0n ? undefined : Number(address)
  }
  /** The memory map changed, or guest memory was replaced: nothing cached is valid. */
  dropTranslations(): void {
    this.core.core('reset_tlb')(this.base)
    this.core.core('flush_code')()
  }
  /** After setting fields by hand. */
  refresh(): void {
    this.core.core('refresh_mode')(this.base)
  }

  // ---- reset and boot states --------------------------------------------------------------------------------------------------------
  /** Architectural state after RESET# (SDM vol. 3A 10.1.1). Identity, counters and requests of the host stay. */
  reset(): void {
    for (let i = 0; i < GPR_NAMES.length; i++) this.write64(L.REG_GPR + i * 8, 0n)
    this.setGpr32('rdx', this.read32(S.CPU_SIGNATURE))
    this.rip = 0xfff0n
    this.write64(L.REG_ZERO, 0n)
    this.write32(L.REG_EFLAGS, FLAG_ONE)
    this.core.core('set_status_flags')(this.base, 0)
    for (let i = 0; i < SEGMENT_NAMES.length; i++) this.storeSegment(i, 0, RESET_ACCESS_DATA, 0n, 0xffff)
    this.storeSegment(L.SEG_CS, 0xf000, RESET_ACCESS_CODE, 0xffff0000n, 0xffff)
    this.storeSegment(L.SEG_LDTR, 0, RESET_ACCESS_LDT, 0n, 0xffff)
    this.storeSegment(L.SEG_TR, 0, RESET_ACCESS_TSS, 0n, 0xffff)
    this.setTable('gdtr', 0n, 0xffff)
    this.setTable('idtr', 0n, 0xffff)
    this.write64(L.REG_CR0, BigInt(CR0_CD_NW + CR0_ET))
    for (const offset of [L.REG_CR2, L.REG_CR3, L.REG_CR4]) this.write64(offset, 0n)
    this.write64(L.REG_XCR0, 1n)
    for (let i = 0; i < 4; i++) this.write64(L.REG_DR0 + i * 8, 0n)
    this.write64(L.REG_DR6, 0xffff0ff0n)
    this.write64(L.REG_DR7, 0x400n)
    for (let i = 0; i < PDPTES; i++) this.write64(S.PDPTES + i * 8, 0n)
    for (const offset of Object.values(VCPU_MSRS)) this.write64(offset, 0n)
    for (let i = 0; i < MTRRS; i++) this.write64(S.MTRR_VARIABLE + i * 8, 0n)
    this.write64(L.MSR_PAT, PAT_RESET)
    this.write64(L.MSR_APIC_BASE, this.index === 0 ? APIC_BASE_RESET | APIC_BASE_BSP : APIC_BASE_RESET)
    this.write64(S.MSR_MISC_ENABLE, 1n)
    this.resetFpu()
    this.write32(L.CPL, 0)
    this.write32(L.A20_MASK, 0xffffffff)
    for (const offset of [L.HALTED, L.NMI_BLOCKED, L.EXC_ERROR, L.EXC_HAS_ERROR, L.EXIT_REASON, L.EXIT_INFO]) this.write32(offset, 0)
    for (const offset of [S.DEBUG_PENDING, S.DEBUG_STEP, S.DEBUG_SS_SHADOW, S.EXC_TRAP]) this.write32(offset, 0)
    this.write64(L.EXC_ADDRESS, 0n)
    this.write32(L.EXC_VECTOR, 0xffffffff)
    this.setAttention(L.ATTENTION_SHADOW | L.ATTENTION_NMI | L.ATTENTION_DEBUG, false)
    this.refresh()
    this.dropTranslations()
  }

  private resetFpu(): void {
    for (const offset of [L.FPU_SW, L.FPU_TOP, L.FPU_OPCODE, L.FPU_CS, L.FPU_DS]) this.write32(offset, 0)
    this.write32(L.FPU_CW, 0x40)
    this.write32(L.FPU_TAGS, 0xff)
    this.write64(L.FPU_IP, 0n)
    this.write64(L.FPU_DP, 0n)
    this.write32(L.MXCSR, 0x1f80)
    this.bytes.fill(0, this.base + L.FPU_REGS, this.base + L.FPU_REGS + FPU_REGISTER_COUNT * L.FPU_REG_BYTES)
    this.bytes.fill(0, this.base + L.XMM, this.base + L.XMM + XMM_COUNT * L.XMM_STRIDE)
  }

  /** Real mode at cs:ip with all data segments 0 and interrupts off. From the reset state. */
  setReal(cs: number, ip: number): void {
    this.write64(L.REG_CR0, BigInt(CR0_ET))
    for (const index of [L.SEG_ES, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS]) this.storeSegment(index, 0, RESET_ACCESS_DATA, 0n, 0xffff)
    this.storeSegment(L.SEG_CS, cs, RESET_ACCESS_DATA, BigInt(cs) << 4n, 0xffff)
    this.setTable('idtr', 0n, 0x3ff)
    this.rip = BigInt(ip)
    this.refresh()
  }

  /** 32-bit protected mode, flat, paging off, ring 0, interrupts off: Linux's 32-bit entry, Multiboot, PVH. From the reset state. */
  setProtectedFlat(eip: number, { cs = 0x10, ds = 0x18, tr, gdt }: FlatOptions = {}): void {
    this.write64(L.REG_CR0, BigInt(CR0_PE | CR0_ET))
    this.flatSegments(cs, FLAT_CODE_32, ds)
    this.storeSegment(L.SEG_TR, tr ?? 0, RESET_ACCESS_TSS, 0n, 0x67)
    if (gdt) this.setTable('gdtr', gdt.base, gdt.limit)
    this.write32(L.CPL, 0)
    this.rip = BigInt(eip >>> 0)
    this.refresh()
    this.dropTranslations()
  }

  /** 64-bit mode with the page tables at `cr3`, ring 0, interrupts off: Linux's 64-bit entry. From the reset state. */
  setLong(rip: bigint | number, cr3: number, { cs = 0x10, ds = 0x18, tr, gdt }: FlatOptions = {}): void {
    this.write64(L.REG_CR0, BigInt(CR0_PG) | BigInt(CR0_PE | CR0_ET | CR0_NE | CR0_WP))
    this.write64(L.REG_CR4, BigInt(CR4_PAE))
    this.write64(L.REG_CR3, BigInt(cr3))
    this.write64(L.MSR_EFER, BigInt(EFER_LMA_LME))
    this.flatSegments(cs, FLAT_CODE_64, ds)
    this.storeSegment(L.SEG_TR, tr ?? 0, RESET_ACCESS_TSS, 0n, 0x67)
    if (gdt) this.setTable('gdtr', gdt.base, gdt.limit)
    this.write32(L.CPL, 0)
    this.rip = BigInt(rip)
    this.refresh()
    this.dropTranslations()
  }

  private flatSegments(cs: number, codeAccess: number, ds: number): void {
    this.storeSegment(L.SEG_CS, cs, codeAccess, 0n, 0xffffffff)
    for (const index of [L.SEG_ES, L.SEG_SS, L.SEG_DS, L.SEG_FS, L.SEG_GS]) this.storeSegment(index, ds, FLAT_DATA_32, 0n, 0xffffffff)
  }

  // ---- saved state ----------------------------------------------------------------------------------------------------------------------
  save(): VcpuState {
    const attention = this.read32(L.ATTENTION)
    return {
      schema: ['vcpu', 1],
      gpr: GPR_NAMES.map((_, i) => this.hex64(L.REG_GPR + i * 8)),
      rip: this.hex64(L.REG_RIP),
      rflags: this.rflags,
      segments: SEGMENT_NAMES.map((_, i) => this.segmentState(i)),
      gdtr: { base: this.hex64(L.GDTR_BASE), limit: this.read32(L.GDTR_LIMIT) },
      idtr: { base: this.hex64(L.IDTR_BASE), limit: this.read32(L.IDTR_LIMIT) },
      cr0: this.hex64(L.REG_CR0),
      cr2: this.hex64(L.REG_CR2),
      cr3: this.hex64(L.REG_CR3),
      cr4: this.hex64(L.REG_CR4),
      xcr0: this.hex64(L.REG_XCR0),
      dr: this.hexList(L.REG_DR0, DEBUG_REGISTERS),
      pdptes: this.hexList(S.PDPTES, PDPTES),
      msrs: Object.fromEntries(Object.entries(VCPU_MSRS).map(([name, offset]) => [name, this.hex64(offset)])),
      mtrrs: this.hexList(S.MTRR_VARIABLE, MTRRS),
      cpl: this.read32(L.CPL),
      a20: this.read32(L.A20_MASK) === 0xffffffff,
      halted: this.halted,
      nmiBlocked: this.read32(L.NMI_BLOCKED) !== 0,
      nmiPending: (attention & L.ATTENTION_NMI) !== 0,
      shadow: (attention & L.ATTENTION_SHADOW) !== 0,
      stackShadow: this.read32(S.DEBUG_SS_SHADOW) !== 0,
      debugPending: this.read32(S.DEBUG_PENDING),
      random: this.hex64(S.RANDOM_STATE),
      fpu: this.fpu(),
      tlb: saveTlb(this.view, this.base),
    }
  }

  /** x87 and SSE registers, as saved. */
  fpu(): FpuState {
    const xmm = new Uint8Array(XMM_COUNT * XMM_BYTES)
    for (let i = 0; i < XMM_COUNT; i++) xmm.set(this.xmm(i), i * XMM_BYTES)
    const registers = this.base + L.FPU_REGS
    return {
      controlWord: this.read32(L.FPU_CW),
      statusWord: this.read32(L.FPU_SW),
      top: this.read32(L.FPU_TOP),
      tags: this.read32(L.FPU_TAGS),
      opcode: this.read32(L.FPU_OPCODE),
      instructionSelector: this.read32(L.FPU_CS),
      instructionPointer: this.hex64(L.FPU_IP),
      dataSelector: this.read32(L.FPU_DS),
      dataPointer: this.hex64(L.FPU_DP),
      registers: this.bytes.slice(registers, registers + FPU_REGISTER_COUNT * L.FPU_REG_BYTES),
      mxcsr: this.read32(L.MXCSR),
      ignoreErrors: this.read32(L.FPU_IGNORE_ERRORS) !== 0,
      xmm,
    }
  }

  /** Restores a saved state, after the memory map; derived state is computed again, decoded code is dropped. Throws VmmError 'state/mismatch'. */
  load(state: VcpuState): void {
    if (!Array.isArray(state?.schema) || state.schema[0] !== 'vcpu' || state.schema[1] !== 1) {
      throw new VmmError('state/mismatch', 'the saved processor state is of another version; it was saved by another release')
    }
    if (state.gpr?.length !== GPR_NAMES.length || state.segments?.length !== SEGMENT_NAMES.length || state.mtrrs?.length !== MTRRS) {
      throw new VmmError('state/mismatch', 'the saved processor state is damaged: registers are missing')
    }
    this.reset()
    this.loadList(L.REG_GPR, state.gpr)
    this.rip = parse64(state.rip)
    this.core.core('set_status_flags')(this.base, state.rflags)
    this.write32(L.REG_EFLAGS, (state.rflags & ~FLAGS_STATUS) | FLAG_ONE)
    state.segments.forEach((segment, i) => this.storeSegment(i, segment.selector, segment.access, parse64(segment.base), segment.limit))
    this.setTable('gdtr', parse64(state.gdtr.base), state.gdtr.limit)
    this.setTable('idtr', parse64(state.idtr.base), state.idtr.limit)
    this.write64(L.REG_CR0, parse64(state.cr0))
    this.write64(L.REG_CR2, parse64(state.cr2))
    this.write64(L.REG_CR3, parse64(state.cr3))
    this.write64(L.REG_CR4, parse64(state.cr4))
    this.write64(L.REG_XCR0, parse64(state.xcr0))
    this.loadList(L.REG_DR0, state.dr.slice(0, DEBUG_REGISTERS))
    this.loadList(S.PDPTES, state.pdptes.slice(0, PDPTES))
    for (const [name, offset] of Object.entries(VCPU_MSRS)) this.write64(offset, parse64(state.msrs[name]))
    this.loadList(S.MTRR_VARIABLE, state.mtrrs)
    this.write32(L.CPL, state.cpl & 3)
    this.write32(L.A20_MASK, state.a20 ? 0xffffffff : 0xffefffff)
    this.halted = state.halted
    this.write32(L.NMI_BLOCKED, state.nmiBlocked ? 1 : 0)
    this.setAttention(L.ATTENTION_NMI, state.nmiPending)
    this.setAttention(L.ATTENTION_SHADOW, state.shadow)
    this.write32(S.DEBUG_SS_SHADOW, state.stackShadow ? 1 : 0)
    this.write32(S.DEBUG_PENDING, state.debugPending)
    this.write64(S.RANDOM_STATE, parse64(state.random))
    this.loadFpu(state.fpu)
    this.refresh()
    this.dropTranslations()
    loadTlb(this.view, this.base, state.tlb)
    this.core.core('note_large_pages')(this.base)
  }

  private loadFpu(fpu: FpuState): void {
    this.write32(L.FPU_CW, fpu.controlWord)
    this.write32(L.FPU_SW, fpu.statusWord)
    this.write32(L.FPU_TOP, fpu.top & 7)
    this.write32(L.FPU_TAGS, fpu.tags & 0xff)
    this.write32(L.FPU_OPCODE, fpu.opcode)
    this.write32(L.FPU_CS, fpu.instructionSelector)
    this.write64(L.FPU_IP, parse64(fpu.instructionPointer))
    this.write32(L.FPU_DS, fpu.dataSelector)
    this.write64(L.FPU_DP, parse64(fpu.dataPointer))
    this.bytes.set(fpu.registers.subarray(0, FPU_REGISTER_COUNT * L.FPU_REG_BYTES), this.base + L.FPU_REGS)
    this.write32(L.MXCSR, fpu.mxcsr)
    this.write32(L.FPU_IGNORE_ERRORS, fpu.ignoreErrors ? 1 : 0)
    for (let i = 0; i < XMM_COUNT; i++) this.setXmm(i, fpu.xmm.subarray(i * XMM_BYTES, (i + 1) * XMM_BYTES))
  }

  /** IGNNE#: with CR0.NE clear, goes on in spite of the x87 exception that is pending, until that is cleared. */
  ignoreFloatErrors(): void {
    if (this.read32(L.FPU_SW) & SW_ES) this.write32(L.FPU_IGNORE_ERRORS, 1)
  }

  /** Registers for people, as after a triple fault. */
  dump(): string {
    const lines: string[] = []
    for (let i = 0; i < GPR_NAMES.length; i += 4) {
      lines.push(GPR_NAMES.slice(i, i + 4).map((name, n) => `${name.toUpperCase().padEnd(3)}=${this.hex64(L.REG_GPR + (i + n) * 8)}`).join(' '))
    }
    const flags = this.rflags
    lines.push(`RIP=${this.hex64(L.REG_RIP)} RFL=${flags.toString(16).padStart(8, '0')} CPL=${this.cpl} ${flags & FLAG_TF ? 'TF ' : ''}${this.halted ? 'HALTED' : ''}`)
    SEGMENT_NAMES.forEach((name, i) => {
      const { selector, access, base, limit } = this.segmentState(i)
      const words = [selector.toString(16).padStart(4, '0'), base, limit.toString(16).padStart(8, '0'), access.toString(16).padStart(6, '0')]
      lines.push(`${name.toUpperCase().padEnd(4)}=${words.join(' ')}`)
    })
    for (const name of ['gdtr', 'idtr'] as const) {
      const { base, limit } = this.table(name)
      lines.push(`${name.toUpperCase()}=${hex(base)} ${limit.toString(16).padStart(4, '0')}`)
    }
    const control = (name: ControlName): string => `${name.toUpperCase()}=${hex(this.control(name))}`
    lines.push([control('cr0'), control('cr2'), control('cr3'), control('cr4')].join(' '))
    lines.push(`${control('efer')} DR6=${hex(this.debug(6))} DR7=${hex(this.debug(7))}`)
    const vector = this.read32(S.LAST_EXCEPTION_VECTOR)
    const error = this.read32(S.LAST_EXCEPTION_ERROR).toString(16)
    lines.push(`last exception: vector ${vector} error ${error} at ${this.hex64(S.LAST_EXCEPTION_RIP)}; code: ${this.codeBytes()}`)
    return lines.join('\n')
  }

  /** One byte of linear memory as the guest's code would read it, 0xff where there is none. Nothing changes, no device is asked. */
  peek(linear: bigint): number {
    const peek = this.core.core('peek') as unknown as (vcpu: number, linear: bigint) => number
    return peek(this.base, BigInt.asIntN(64, linear & this.read64(L.LINEAR_MASK)))
  }

  /** Linear address of an offset in the code segment. */
  codeAddress(offset: bigint): bigint {
    return (offset + this.read64(L.SEGMENTS + L.SEG_CS * L.SEG_BYTES + L.SEG_EFFECTIVE_BASE)) & this.read64(L.LINEAR_MASK)
  }

  /** The bytes at CS:RIP, as far as they can be read. */
  private codeBytes(): string {
    const at = this.codeAddress(this.rip)
    return Array.from({ length: 16 }, (_, i) => this.peek(at + BigInt(i)).toString(16).padStart(2, '0')).join(' ')
  }

  // ---- fields --------------------------------------------------------------------------------------------------------------------------
  private gprOffset(register: number | GprName): number {
    return L.REG_GPR + (typeof register === 'number' ? register & 15 : GPR_NAMES.indexOf(register)) * 8
  }
  private debugOffset(register: number): number {
    return register === 6 ? L.REG_DR6 : register === 7 ? L.REG_DR7 : L.REG_DR0 + (register & 3) * 8
  }
  private msrOffset(name: string): number {
    const offset = VCPU_MSRS[name]
    if (offset === undefined) throw new VmmError('internal/bug', `no MSR named ${name}`)
    return offset
  }
  private segmentState(index: number): SegmentState {
    const at = L.SEGMENTS + index * L.SEG_BYTES
    return {
      selector: this.read32(at + L.SEG_SELECTOR) & 0xffff,
      access: this.read32(at + L.SEG_ACCESS),
      base: this.hex64(at + L.SEG_BASE),
      limit: this.read32(at + L.SEG_LIMIT),
    }
  }
  private storeSegment(index: number, selector: number, access: number, base: bigint, limit: number): void {
    const at = L.SEGMENTS + index * L.SEG_BYTES
    this.write32(at + L.SEG_SELECTOR, selector & 0xffff)
    this.write32(at + L.SEG_ACCESS, access)
    this.write64(at + L.SEG_BASE, base)
    this.write32(at + L.SEG_LIMIT, limit)
  }
  /** Devices may set bits from other threads. */
  private setAttention(bits: number, on: boolean): void {
    const words = new Int32Array(this.core.memory.buffer)
    const at = (this.base + L.ATTENTION) >>> 2
    if (on) Atomics.or(words, at, bits)
    else Atomics.and(words, at, ~bits)
  }
  private read32(offset: number): number {
    return this.view.getUint32(this.base + offset, true)
  }
  private write32(offset: number, value: number): void {
    this.view.setUint32(this.base + offset, value, true)
  }
  private read64(offset: number): bigint {
    return this.view.getBigUint64(this.base + offset, true)
  }
  private write64(offset: number, value: bigint): void {
    this.view.setBigUint64(this.base + offset, BigInt.asUintN(64, value), true)
  }
  private hex64(offset: number): string {
    return hex(this.read64(offset))
  }
  private hexList(offset: number, count: number): readonly string[] {
    return Array.from({ length: count }, (_, i) => this.hex64(offset + i * 8))
  }
  private loadList(offset: number, values: readonly string[]): void {
    values.forEach((value, i) => this.write64(offset + i * 8, parse64(value)))
  }
}

function parse64(text: string | undefined): bigint {
  if (typeof text !== 'string' || !/^[0-9a-f]{1,16}$/.test(text)) {
    throw new VmmError('state/wrong-format', 'the saved processor state is damaged: a register is not a number')
  }
  return BigInt(`0x${text}`)
}
