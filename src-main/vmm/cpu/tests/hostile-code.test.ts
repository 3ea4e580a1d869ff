/**
 * Nonsense as code, in every mode, with nonsense in registers, page tables, descriptor tables and memory: whatever a guest does, the core writes to the
 * vCPU's own state and to memory that is mapped for the guest, and its TLB leads nowhere else.
 */
import { expect, it } from 'vitest'
import { Random } from '../../testing/random'
import type { Engine } from '../engine'
import { engineUnderTest } from '../../testing/engine-under-test'
import * as L from '../layout'
import { createMachineCore } from '../machine-core'
import { Vcpu } from '../vcpu'

const ROUNDS = Number(process.env['VITRINE_FUZZ_STEPS'] ?? 250)
const SEED = Number(process.env['VITRINE_FUZZ_SEEDS'] ?? 5)
const PAGE = 0x1000
const RAM_BYTES = 0x100000
/** Behind RAM: a page of ROM, and memory that is mapped nowhere. */
const ROM = L.RAM_BASE + RAM_BYTES
const GUARD = ROM + PAGE
const EXTRA_BYTES = 0x20000
const ROM_GPA = 0x180000
const TABLES = 0x20000
const GDT = 0x8000
const IDT = 0x9000
const TSS = 0xa000
const CODE = 0x10000
const INSTRUCTIONS = 3000
/** CPU time of a round, in ms: what else the host does must not count. Compiling its regions takes the longest of them 2 s or so. */
const ROUND_LIMIT = 6000

const cpuTime = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x48, 0x4f, 0x41]
/** String, far, stack, system and table instructions come more often than chance would have them. */
const OPCODES = [
  [0xa4], [0xa5], [0xaa], [0xab], [0xac], [0xad], [0xa6], [0xae], [0x6c], [0x6d], [0x6e], [0x6f], [0x9a], [0xea], [0xcb], [0xcf], [0xc8], [0xc9], [0x60],
  [0x61], [0xa0], [0xa1], [0xa2], [0xa3], [0xd7], [0xcd], [0xcc], [0xff], [0x8e], [0xc4], [0xc5], [0x0f, 0x01], [0x0f, 0x00], [0x0f, 0xae], [0x0f, 0xc7],
  [0x0f, 0x22], [0x0f, 0x20], [0x0f, 0x30], [0x0f, 0x32], [0x0f, 0xa3], [0x0f, 0xab], [0x0f, 0xba], [0x0f, 0xe7], [0x0f, 0xf7], [0x0f, 0x11], [0x0f, 0x7f],
  [0x0f, 0x05], [0x0f, 0x07], [0x0f, 0x34], [0x0f, 0x35], [0xd9], [0xdb], [0xdd], [0xdf], [0x0f, 0x38, 0x00], [0x0f, 0x3a, 0x0f], [0x87], [0x0f, 0xb1],
] as const

const ADDRESSES = [
  0n, 0x7ffn, 0xfffn, 0xffffn, 0xffff_fffen, 0xffff_ffffn, 0x1_0000_0000n, 0x7fff_ffff_ffffn, 0x8000_0000_0000n, 0xffff_8000_0000_0000n, 0xffff_ffff_ffff_ffffn,
  BigInt(RAM_BYTES) - 1n, BigInt(RAM_BYTES) - 8n, BigInt(RAM_BYTES), BigInt(ROM_GPA), BigInt(L.RAM_BASE), BigInt(L.VCPU_BASE), BigInt(L.PHYSMAP), 0x1_ffff_ffffn, 0x2_0000_0000n,
]

class HostileProcessor {
  private readonly memory: WebAssembly.Memory
  private readonly engine: Engine
  private readonly vcpu: Vcpu
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly words: Uint32Array
  private readonly before: Uint8Array
  retired = 0

  constructor(private readonly random: Random) {
    let accesses = 0
    // As the machine does: accesses cost the host more than instructions, so many of them end the slice.
    const access = (): void => {
      if (++accesses % 10_000 === 0) this.engine.requestAttention(this.vcpu.base)
    }
    const any = (width: number): number => {
      access()
      return random.below(2 ** (8 * width))
    }
    const core = createMachineCore({
      ramBytes: RAM_BYTES,
      extraBytes: EXTRA_BYTES,
      io: {
        pioRead: (_port, width) => any(width),
        pioWrite: access,
        mmioRead: (_address, width) => any(width),
        mmioWrite: access,
        readTsc: () => 0x12345,
        acknowledgeInterrupt: () => (random.below(2) === 0 ? random.below(256) : -1),
        readTaskPriority: () => random.below(16),
        writeTaskPriority: () => undefined,
        readMsr: () => [any(4), any(4)],
        writeMsr: () => random.below(2) === 0,
        unknownOpcode: () => undefined,
      },
    })
    this.memory = core.memory
    this.bytes = new Uint8Array(core.memory.buffer)
    this.view = new DataView(core.memory.buffer)
    this.words = new Uint32Array(core.memory.buffer)
    for (let page = 0; page < RAM_BYTES / PAGE; page++) this.map(page * PAGE, L.RAM_BASE + page * PAGE, L.PHYS_READ | L.PHYS_WRITE)
    this.map(ROM_GPA, ROM, L.PHYS_READ)
    this.engine = engineUnderTest(core)
    this.vcpu = new Vcpu(core)
    this.vcpu.setModel({})
    this.vcpu.reset()
    this.before = this.bytes.slice(0, L.BLOCK_HASH)
    for (let at = L.RAM_BASE; at < L.RAM_BASE + RAM_BYTES; at += 4) this.view.setUint32(at, random.u32(), true)
  }

  private map(gpa: number, host: number, flags: number): void {
    this.view.setUint32(L.PHYSMAP + (gpa / PAGE) * 4, host | flags, true)
  }

  // ---- nonsense ------------------------------------------------------------------------------------------------------------------------

  private address(): bigint {
    const kind = this.random.below(4)
    if (kind === 0) return this.random.u64()
    if (kind === 1) return (ADDRESSES[this.random.below(ADDRESSES.length)] ?? 0n) + BigInt(this.random.below(33)) - 16n
    return BigInt(this.random.below(RAM_BYTES))
  }

  private writeCode(at: number, bytes: number): void {
    const { random } = this
    for (let i = 0; i < bytes;) {
      if (random.below(3) === 0) this.bytes[at + i++] = PREFIXES[random.below(PREFIXES.length)] ?? 0x90
      else if (random.below(2) === 0) for (const byte of OPCODES[random.below(OPCODES.length)] ?? [0x90]) this.bytes[at + i++] = byte
      else this.bytes[at + i++] = random.below(256)
    }
  }

  /** Page tables that mostly lead to RAM, at every level, with any flags; some entries lead anywhere. */
  private writePageTables(): void {
    const { random } = this
    for (let at = TABLES; at < TABLES + 8 * PAGE; at += 8) {
      const table = TABLES + ((at - TABLES) & ~0xfff) + PAGE
      const flags = random.below(4) === 0 ? random.below(0x1000) : 7 + (random.below(4) === 0 ? 0x80 : 0)
      const target = random.below(3) === 0 ? random.below(RAM_BYTES / PAGE) * PAGE : table
      const high = random.below(16) === 0 ? random.u32() : 0
      this.view.setUint32(L.RAM_BASE + at, (target | flags) >>> 0, true)
      this.view.setUint32(L.RAM_BASE + at + 4, high, true)
    }
  }

  /** Descriptors and gates: nonsense, and sound ones so that a guest survives its first exception. */
  private writeTables(cs: number, long: boolean): void {
    const { random, view } = this
    const put = (at: number, low: number, high: number): void => {
      view.setUint32(L.RAM_BASE + at, low >>> 0, true)
      view.setUint32(L.RAM_BASE + at + 4, high >>> 0, true)
    }
    for (let at = GDT; at < TSS + PAGE; at += 8) put(at, random.u32(), random.u32() | (random.below(2) === 0 ? 0xcf8000 : 0x8000))
    if (random.below(4) === 0) return
    put(GDT + 8, 0xffff, cs | 0xf0000)
    put(GDT + 16, 0xffff, 0xcf9300)
    put(GDT + 32, 0xffff, cs | 0xf6000)
    put(GDT + 40, 0xffff, 0xcff300)
    // The stack of ring 0.
    put(TSS, random.u32(), CODE)
    put(TSS + 8, long ? 0 : 0x10, 0)
    const step = long ? 16 : 8
    for (let vector = 0; vector < 256; vector++) {
      if (random.below(8) === 0) continue
      const target = CODE + random.below(0x8000)
      const type = random.below(16) === 0 ? 0x85 : 0x8e + random.below(2)
      put(IDT + vector * step, (8 << 16) | (target & 0xffff), (target & 0xffff0000) | (type << 8))
      if (long) put(IDT + vector * step + 8, 0, 0)
      put(vector * 4 & ~7, (0x1000 << 16) | (target & 0xffff), (0x1000 << 16) | (target & 0xffff))
    }
  }

  private enter(): void {
    const { random, vcpu } = this
    vcpu.reset()
    const code = CODE + random.below(0x8000)
    const mode = random.below(5)
    const flag = (): number => random.below(4) === 0 ? 1 : 0
    const cs = mode === 0 ? 0x9b00 : mode === 4 && random.below(8) !== 0 ? 0xa09b00 : 0xc09b00
    if (mode !== 0) {
      vcpu.setTable('gdtr', GDT, 0xfff)
      vcpu.setTable('idtr', IDT, 0xfff)
      vcpu.setControl('cr4', [0, 0x10, 0x20, 0x620][mode - 1 < 3 ? mode - 1 : 3] ?? 0)
      vcpu.setControl('cr3', TABLES)
      if (mode === 4) vcpu.setControl('efer', 0xd01)
      vcpu.setControl('cr0', BigInt(0x11 + flag() * 0x40000 + flag() * 0x10000) + (mode > 1 ? 0x80000000n : 0n))
    }
    vcpu.setSegment('cs', 8, cs, 0, 0xffffffff)
    for (let at = CODE; at < CODE + 0x9000; at += 0x800) if (random.below(4) === 0) this.writeCode(L.RAM_BASE + at, 0x780)
    for (const name of ['ds', 'es', 'ss', 'fs', 'gs'] as const) {
      const wild = random.below(4) === 0
      vcpu.setSegment(name, 0x10, wild ? 0x9000 + random.below(16) * 0x100 + flag() * 0x400000 : 0xc09300, wild ? this.address() : 0, wild ? random.u32() : 0xffffffff)
    }
    vcpu.setSegment('tr', 0x18, 0x8b00, TSS, random.below(0x200))
    if (mode !== 0 && flag()) vcpu.cpl = 3
    for (let register = 0; register < 16; register++) vcpu.setGpr(register, this.address())
    if (random.below(4) !== 0) vcpu.setGpr('rsp', 0xc000 + random.below(0x1000))
    vcpu.rflags = 2 | (random.u32() & 0x47fd5)
    vcpu.rip = code
    vcpu.setA20(random.below(4) !== 0)
    vcpu.setInterruptRequest(random.below(4) === 0)
    this.writeCode(L.RAM_BASE + code, 0x800)
    if (mode > 1) this.writePageTables()
    this.writeTables(cs & 0xf0ff00, mode === 4)
    vcpu.dropTranslations()
  }

  round(): string {
    this.enter()
    const exit = this.engine.run(this.vcpu.base, INSTRUCTIONS)
    this.retired = Number(this.view.getBigUint64(this.vcpu.base + L.RETIRED, true))
    this.checkState()
    this.checkTlb()
    return exit.kind
  }

  // ---- what must hold --------------------------------------------------------------------------------------------------------------------

  private untouched(first: number, last: number, what: string): void {
    const same = Buffer.compare(Buffer.from(this.memory.buffer, first, last - first), this.before.subarray(first, last)) === 0
    if (!same) throw new Error(`${what} was written to`)
  }

  private zero(first: number, last: number, what: string): void {
    for (let at = first >>> 2; at < last >>> 2; at++) if (this.words[at] !== 0) throw new Error(`${what} was written to, at ${(at * 4).toString(16)}`)
  }

  private checkState(): void {
    this.untouched(0, L.VCPU_BASE, 'the core')
    this.untouched(L.VCPU_BASE + L.VCPU_STRIDE, L.MACHINE_STATE, 'another vCPU')
    this.zero(GUARD, L.RAM_BASE + RAM_BYTES + EXTRA_BYTES, 'memory behind RAM')
    this.zero(ROM, GUARD, 'ROM')
    const state = (offset: number): number => this.view.getUint32(this.vcpu.base + offset, true)
    if (state(L.FPU_TOP) > 7 || state(L.CPL) > 3 || state(L.CODE_MODE) > 2) throw new Error('the state makes no sense')
    const context = state(L.TLB_CONTEXT) - this.vcpu.base - L.TLB
    if (context % L.TLB_CONTEXT_BYTES !== 0 || context < 0 || context >= L.TLB_CONTEXTS * L.TLB_CONTEXT_BYTES) throw new Error('the TLB context is nowhere')
    for (let page = 0; page < RAM_BYTES / PAGE; page++) {
      const entry = this.words[(L.PHYSMAP >>> 2) + page] ?? 0
      if ((entry & ~L.PHYS_CODE) !== (L.RAM_BASE + page * PAGE + (L.PHYS_READ | L.PHYS_WRITE))) throw new Error(`the physmap was written to, page ${page}`)
    }
  }

  /** Each entry in use leads to the page that the physmap gives for its address, and writes to RAM only. */
  private checkTlb(): void {
    const end = L.TLB + L.TLB_CONTEXTS * L.TLB_CONTEXT_BYTES
    for (let at = L.TLB; at < end; at += L.TLB_ENTRY_BYTES) {
      const word = (this.vcpu.base + at) >>> 2
      const low = this.words[word] ?? 0
      if (low >= 0xfffffffe && this.words[word + 1] === 0xffffffff) continue
      const host = (low + (this.words[word + 2] ?? 0)) >>> 0
      const table = (at - L.TLB) % L.TLB_CONTEXT_BYTES
      const last = table >= L.TLB_WRITE && table < L.TLB_EXECUTE ? ROM : GUARD
      const index = (at - L.TLB) % L.TLB_TABLE_BYTES / L.TLB_ENTRY_BYTES
      if (host % PAGE !== 0 || host < L.RAM_BASE || host >= last || ((low >>> 12) & (L.TLB_ENTRIES - 1)) !== index) throw new Error(`TLB entry ${at.toString(16)} leads to ${host.toString(16)}`)
    }
  }

  /** The large tables, once. */
  checkTables(): void {
    const pages = RAM_BYTES / PAGE
    const mapped = ROM_GPA / PAGE
    this.zero(L.PHYSMAP + pages * 4, L.PHYSMAP + mapped * 4, 'the physmap')
    this.zero(L.PHYSMAP + (mapped + 1) * 4, L.PHYSMAP + L.PHYSMAP_PAGES * 4, 'the physmap')
    this.zero(L.CODE_PAGES + pages * L.CODE_PAGE_BYTES, L.CODE_PAGES + mapped * L.CODE_PAGE_BYTES, 'the table of code pages')
    this.zero(L.CODE_PAGES + (mapped + 1) * L.CODE_PAGE_BYTES, L.CODE_PAGES + L.PHYSMAP_PAGES * L.CODE_PAGE_BYTES, 'the table of code pages')
    this.zero(L.DIRTY_MAP, L.DIRTY_MAP + L.RAM_BASE / PAGE, 'the dirty map')
    this.zero(L.DIRTY_MAP + ROM / PAGE, L.NEXT_REGIONS, 'the dirty map')
    this.zero(L.NEXT_REGIONS + L.NEXT_LINES * L.NEXT_WAYS * L.NEXT_WAY_BYTES, L.RAM_BASE, "another vCPU's table of regions")
  }
}

it('nonsense as code reaches nothing but the guest', () => {
  const processor = new HostileProcessor(new Random(SEED))
  const exits = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round++) {
    const begin = cpuTime()
    try {
      const exit = processor.round()
      exits.set(exit, (exits.get(exit) ?? 0) + 1)
    } catch (error) {
      throw new Error(`round ${round}`, { cause: error })
    }
    expect(cpuTime() - begin, `round ${round}`).toBeLessThan(ROUND_LIMIT)
  }
  processor.checkTables()
  if (process.env['VITRINE_FUZZ_STEPS'] !== undefined) process.stderr.write(`${JSON.stringify([...exits])} ${processor.retired} instructions\n`)
  expect(exits.size).toBeGreaterThan(1)
}, 60_000)
