/**
 * What all instructions of a region share: registers and flags in locals, the budget, the one exit through which everything is written back.
 * A basic block subtracts its instructions from the budget when it begins; who leaves in its middle gives back those that did not run.
 */
import type { HelperImports } from '../emit/helper-imports'
import * as L from '../layout'
import { FoldingBuilder, type FunctionBuilder } from '../wasm/ir'
import type { Block, LabelStatement, OpName, Value, Variable } from '../wasm/ir'
import { FlagSlots } from './flag-state'
import { PendingWords, storeFlags } from './flag-words'
import { AccessWindows } from './access-windows'
import { LoopWindows } from './loop-windows'
import { PageCaches, entryOf } from './memory-access'
import { PAGE_BYTES, distanceOf, inPage, type OtherPage } from './region-plan'
import { GENERAL_32, GENERAL_64, RegisterFile, VECTOR } from './registers'
import { X87Pointers } from './x87-pointers'

const PAGE_OFFSET = 0xfff
const RSP = 4
/** Room for the instructions of a basic block. */
const UNUSED_BITS = 12
/** In a place (placeOf). */
const PAGE_SHIFT = 12
/** In an entry of the TLB: guest-physical page number, with other things above it (core/mmu/tlb). */
const TLB_NUMBER = 12
const NUMBER_MASK = 0x0fffffff

/** What a frame must know of its region. */
export interface RegionShape {
  /** CODE_KEY. */
  readonly key: number
  /** Offsets of the entries in the page. */
  readonly entries: readonly number[]
  /** Offset behind the last byte, where all is in one page. */
  readonly end: number
  readonly others?: readonly OtherPage[]
  /** Whether a basic block begins at an offset. */
  readonly hasBlock: (offset: number) => boolean
  /** Registers live in locals while the region runs; otherwise in the vCPU (registers.ts). */
  readonly resident: boolean
  /** As RegionPlan.brief. */
  readonly brief?: boolean
  /** Instructions that run behind the write-back are inside: what was loaded at the entry changes. */
  readonly resumes?: boolean
}

export class RegionFrame {
  readonly builder: FunctionBuilder
  readonly vcpu: Value
  /** 64-bit code: addresses and registers are i64, otherwise i32. */
  readonly wide: boolean
  readonly flat: boolean
  readonly general: RegisterFile
  readonly vectors: RegisterFile
  readonly flags: FlagSlots
  readonly pendingWords: PendingWords
  readonly pointers: X87Pointers
  readonly pages: PageCaches
  /** How memory is accessed when registers live in the vCPU. */
  readonly windows: AccessWindows | undefined
  readonly loops: LoopWindows
  /** Instruction pointer that offset 0 of the page would have (i64 or i32). */
  readonly base: Value
  private readonly tlbContext: Variable | undefined
  private readonly tlbAtEntry: Value
  readonly budget: Variable
  private readonly prologue: Block
  private readonly keptVariables = new Set<Variable>()
  private readonly invariants = new Map<string, { readonly variable: Variable; readonly compute: () => Value }>()
  /** Where the state is stored, and where it is loaded again: what of it the region uses is known in the end. */
  private readonly writeBacks: Block[] = []
  private readonly reloads: Block[] = []
  private readonly status: Variable
  private readonly rip: Variable
  /** Where the interpreter goes on, and how many instructions of the basic block have not run. */
  private readonly where: Variable
  private labels: { readonly exit: LabelStatement; readonly interpret: LabelStatement } | undefined
  /** Number of the instruction that runs behind the write-back, 0: none. */
  private readonly final: Variable
  private readonly finals: (() => void)[] = []

  constructor(
    name: string,
    readonly shape: RegionShape,
    private readonly helpers: HelperImports,
    /** How the function is built: the inspector shows what folding does. */
    Builder: typeof FunctionBuilder = FoldingBuilder,
  ) {
    const { key, resident } = shape
    const b = (this.builder = new Builder(name, ['i32', 'i32'], ['i32']))
    this.vcpu = b.param(0)
    this.wide = (key & 3) === 2
    this.flat = (key & L.KEY_FLAT) !== 0
    this.general = new RegisterFile(b, this.vcpu, this.wide ? GENERAL_64 : GENERAL_32, resident)
    this.vectors = new RegisterFile(b, this.vcpu, VECTOR, resident)
    this.flags = new FlagSlots(b, this.vcpu, resident)
    this.pendingWords = new PendingWords(b)
    this.pointers = new X87Pointers(b, this.vcpu, (place) => this.ripAtPlace(place))
    this.pages = new PageCaches(b, this.wide)
    this.budget = b.variable('i32')
    this.status = b.variable('i32')
    this.final = b.variable('i32')
    this.where = b.variable('i32')
    this.rip = b.variable(this.wide ? 'i64' : 'i32')
    this.base = this.wide || this.flat ? this.pageBase() : this.segmentedBase()
    this.tlbAtEntry = b.load('i32.load', this.vcpu, L.TLB_CONTEXT)
    this.tlbContext = shape.resumes === true ? b.variable('i32', this.tlbAtEntry) : undefined
    this.windows = resident ? undefined : new AccessWindows(b, this.wide, () => this.tlb, shape.brief ?? false)
    this.loops = new LoopWindows(b, this.wide, this.general, () => this.tlb, (variable) => this.keptVariables.has(variable))
    b.set(this.budget, b.load('i32.load', this.vcpu, L.BUDGET))
    this.prologue = b.reserve()
  }

  /** Absolute address of the TLB context. */
  get tlb(): Value {
    return this.tlbContext === undefined ? this.tlbAtEntry : this.builder.get(this.tlbContext)
  }

  /** Whether a jump there needs no look at the code segment's limit, nor wraps around 64 KiB: with a base only what the entry has checked. */
  isWithinReach(offset: number): boolean {
    return this.isOwnPage(offset) ? this.wide || this.flat || offset < this.shape.end : this.shape.hasBlock(offset)
  }

  /** In the page at which the region is entered. */
  isOwnPage(offset: number): boolean {
    return distanceOf(offset) === 0
  }

  /** i32: the TLB has, for execution, the page that the plan was made with at an offset in another page; or else the core finds it. */
  isThere(offset: number): Value {
    const { builder: b, wide } = this
    const distance = distanceOf(offset)
    const number = Math.floor(this.otherPage(distance).page / PAGE_BYTES)
    const linear = this.ripAt(distance)
    const whole = wide ? linear : b.op('i64.extend_i32_u', [linear])
    const entry = entryOf(b, this.tlb, wide ? b.op('i32.wrap_i64', [linear]) : linear)
    const there = b.temporary('i32')
    const sameNumber = b.op('i32.eq', [b.op('i32.and', [b.load('i32.load', entry, L.TLB_EXECUTE + TLB_NUMBER), b.constant('i32', NUMBER_MASK)]), b.constant('i32', number)])
    b.set(there, b.op('i32.and', [b.op('i64.eq', [b.load('i64.load', entry, L.TLB_EXECUTE), whole]), sameNumber]))
    b.if(b.op('i32.eqz', [b.get(there)]), () => {
      b.rare()
      b.set(there, b.call(this.helpers.get('region_code'), [this.vcpu, whole, b.constant('i32', number)]))
    })
    return b.get(there)
  }

  private otherPage(distance: number): OtherPage {
    const other = this.shape.others?.find((one) => one.distance === distance)
    if (other === undefined) throw new Error(`no page of the region is at distance ${distance}`)
    return other
  }

  /** The whole function: `body` must leave by exits only. */
  build(body: () => void): void {
    const { builder: b, vcpu } = this
    b.block((exit) => {
      b.block((interpret) => {
        this.labels = { exit, interpret }
        body()
      })
      const where = b.get(this.where)
      const unused = b.op('i32.and', [where, b.constant('i32', (1 << UNUSED_BITS) - 1)])
      b.set(this.rip, this.nativeRipAtPlace(b.op('i32.shr_u', [where, b.constant('i32', UNUSED_BITS)])))
      b.set(this.budget, b.op('i32.add', [b.get(this.budget), unused]))
      // only a block that has not begun has nothing unused
      b.set(this.status, b.op('select', [b.constant('i32', L.STATUS_INTERPRET), b.constant('i32', L.STATUS_SHORT), unused]))
    })
    this.labels = undefined
    this.general.store()
    this.vectors.store()
    storeFlags(b, vcpu, this.flags, this.helpers)
    this.pointers.store(false)
    this.storeProgress(b.get(this.rip))
    const final = b.get(this.final)
    this.finals.forEach((emit, i) => b.if(b.op('i32.eq', [final, b.constant('i32', i + 1)]), emit))
    b.return(b.get(this.status))
    b.at(this.prologue, () => this.load())
    for (const place of this.writeBacks) {
      b.at(place, () => {
        this.general.store()
        this.vectors.store()
        this.pointers.store(true)
      })
    }
    for (const place of this.reloads) {
      b.at(place, () => {
        for (const { variable, compute } of this.invariants.values()) b.set(variable, compute())
        this.load()
      })
    }
  }

  private load(): void {
    const { builder: b } = this
    this.general.load()
    this.vectors.load()
    this.pages.initialize(() => entryOf(b, this.tlb, b.load('i32.load', this.vcpu, L.REG_GPR + RSP * 8)))
    this.flags.loadWords()
  }

  /** Writes everything back inside the region, where flags are settled (settledAtExit) and REG_RIP will be `rip`. */
  writeBack(rip: Value): void {
    const { builder: b, vcpu } = this
    if (this.shape.resident) {
      this.writeBacks.push(b.reserve())
      storeFlags(b, vcpu, this.flags, this.helpers)
    }
    this.storeProgress(rip)
  }

  /** After writeBack(), and what may have changed anything but code, mode and where the region is. */
  resume(): void {
    const { builder: b, vcpu } = this
    if (this.tlbContext !== undefined) b.set(this.tlbContext, b.load('i32.load', vcpu, L.TLB_CONTEXT))
    b.set(this.budget, b.load('i32.load', vcpu, L.BUDGET))
    this.reloads.push(b.reserve())
    this.flags.putCanonical()
  }

  /** The stack pointer is a linear address. */
  get stackIsLinear(): boolean {
    return this.wide || this.flat
  }

  /** i64. */
  stackMask(): Value {
    if (this.wide) return this.builder.constant('i64', -1)
    return this.flat ? this.builder.constant('i64', 0xffffffff) : this.invariant('i64.load', L.STACK_MASK)
  }

  /** A field of the vCPU that nothing in a region changes, loaded at the entry. */
  invariant(load: OpName, offset: number): Value {
    return this.once(`${load} ${offset}`, load.startsWith('i64') ? 'i64' : 'i32', () => this.builder.load(load, this.vcpu, offset))
  }

  /** A value computed at the entry, and again by renew(). */
  once(name: string, type: 'i32' | 'i64', compute: () => Value): Value {
    return this.builder.get(this.kept(name, type, compute))
  }

  renew(name: string, type: 'i32' | 'i64', compute: () => Value): void {
    this.builder.set(this.kept(name, type, compute), compute())
  }

  private kept(name: string, type: 'i32' | 'i64', compute: () => Value): Variable {
    const { builder: b } = this
    const known = this.invariants.get(name)
    if (known !== undefined) return known.variable
    const variable = b.variable(type)
    this.invariants.set(name, { variable, compute })
    this.keptVariables.add(variable)
    b.at(this.prologue, () => b.set(variable, compute()))
    return variable
  }

  /** Leaves the region for another block, at the usual end of one. Flags are settled (settledAtExit). */
  jump(rip: Value): void {
    const { builder: b } = this
    if (this.shape.resident) return this.leave(b.constant('i32', L.STATUS_JUMP), rip, 0)
    this.storeProgress(rip)
    b.return(b.constant('i32', L.STATUS_JUMP))
  }

  private storeProgress(rip: Value): void {
    const { builder: b, vcpu } = this
    b.effect('i64.store', [vcpu, this.wide ? rip : b.op('i64.extend_i32_u', [rip])], L.REG_RIP)
    b.effect('i32.store', [vcpu, b.get(this.budget)], L.BUDGET)
  }

  /** Leaves the region. `unused`: instructions of the basic block that have not run. */
  leave(status: Value, rip: Value, unused: number): void {
    const { builder: b } = this
    b.set(this.status, status)
    b.set(this.rip, rip)
    if (unused > 0) b.set(this.budget, b.op('i32.add', [b.get(this.budget), b.constant('i32', unused)]))
    b.branch(this.inside.exit)
  }

  /** Leaves the region at the instruction at `offset`, for the interpreter. The usual case by far: what it takes is one number. */
  interpret(offset: number, unused: number): void {
    this.builder.rare()
    this.builder.set(this.where, this.builder.constant('i32', (this.placeOf(offset) << UNUSED_BITS) | unused))
    this.builder.branch(this.inside.interpret)
  }

  private get inside(): { readonly exit: LabelStatement; readonly interpret: LabelStatement } {
    if (this.labels === undefined) throw new Error('a region is left from within its body only')
    return this.labels
  }

  /** Leaves the region and then does what `emit` says, with all state in the vCPU; it must end by return. */
  leaveAndRun(rip: Value, emit: () => void): void {
    if (!this.shape.resident) {
      this.storeProgress(rip)
      return emit()
    }
    this.leaveWithinAndRun(rip, 0, emit)
  }

  /** As leaveAndRun, from the middle of a basic block. `unused`: instructions behind this one. */
  leaveWithinAndRun(rip: Value, unused: number, emit: () => void): void {
    const { builder: b } = this
    b.set(this.final, b.constant('i32', this.finals.push(emit)))
    this.leave(b.constant('i32', L.STATUS_INTERPRET), rip, unused)
  }

  /** A place in the region in few bits: number of the page (0: the own one) << PAGE_SHIFT | offset in it. */
  placeOf(offset: number): number {
    const { others = [] } = this.shape
    const page = this.isOwnPage(offset) ? 0 : 1 + others.indexOf(this.otherPage(distanceOf(offset)))
    return (page << PAGE_SHIFT) | inPage(offset)
  }

  /** The instruction pointer (i64) at a place. */
  private ripAtPlace(place: Value): Value {
    const rip = this.nativeRipAtPlace(place)
    return this.wide ? rip : this.builder.op('i64.extend_i32_u', [rip])
  }

  private nativeRipAtPlace(place: Value): Value {
    const { builder: b } = this
    const within = b.op('i32.and', [place, b.constant('i32', PAGE_OFFSET)])
    const offset = (this.shape.others ?? []).reduce<Value>((sum, { distance }, i) => {
      const isIt = b.op('i32.eq', [b.op('i32.shr_u', [place, b.constant('i32', PAGE_SHIFT)]), b.constant('i32', i + 1)])
      return b.op('i32.add', [sum, b.op('select', [b.constant('i32', distance), b.constant('i32', 0), isIt])])
    }, within)
    return this.wide ? b.op('i64.add', [this.base, b.op('i64.extend_i32_s', [offset])]) : b.op('i32.add', [this.base, offset])
  }

  /** The instruction pointer at an offset in the page. */
  ripAt(offset: number): Value {
    const { builder: b } = this
    return this.wide ? b.op('i64.add', [this.base, b.constant('i64', offset)]) : b.op('i32.add', [this.base, b.constant('i32', offset)])
  }

  private pageBase(): Value {
    const { builder: b } = this
    return this.wide
      ? b.op('i64.and', [b.load('i64.load', this.vcpu, L.REG_RIP), b.constant('i64', ~PAGE_OFFSET)])
      : b.op('i32.and', [b.load('i32.load', this.vcpu, L.REG_RIP), b.constant('i32', ~PAGE_OFFSET)])
  }

  /** With a segment base the pointer's page offset is not the address's. The region must lie within the limit, and in 64 KiB in 16-bit code. */
  private segmentedBase(): Value {
    const { builder: b } = this
    const { entries, end } = this.shape
    const selector = b.param(1)
    const number = (n: number): Value => b.constant('i32', n)
    const offset = entries.reduceRight<Value>((others, entry, i) => b.op('select', [number(entry), others, b.op('i32.eq', [selector, number(i)])]), number(entries[0] ?? 0))
    const rip = b.load('i64.load', this.vcpu, L.REG_RIP)
    const base = b.op('i64.sub', [rip, b.op('i64.extend_i32_u', [offset])])
    const last = b.op('i64.add', [base, b.constant('i64', end - 1)])
    const limit = b.load('i64.load32_u', this.vcpu, L.SEGMENTS + L.SEG_CS * L.SEG_BYTES + L.SEG_LIMIT)
    const refuse = (condition: Value): void => b.if(condition, () => b.return(number(L.STATUS_INTERPRET)))
    refuse(b.op('i64.lt_s', [base, b.constant('i64', 0)]))
    refuse(b.op('i64.gt_u', [last, limit]))
    refuse(b.op('i64.gt_u', [last, b.constant('i64', (this.shape.key & 3) === 0 ? 0xffff : 0xffffffff)]))
    return b.op('i32.wrap_i64', [base])
  }
}
