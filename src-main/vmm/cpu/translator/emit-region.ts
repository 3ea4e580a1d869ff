/** A region's plan -> one function of the IR, (vcpu, selector) -> status. */
import type { HelperImports } from '../emit/helper-imports'
import * as L from '../layout'
import { semantics } from '../semantics/index'
import type { InvariantName } from '../semantics/invariants'
import type { FunctionBuilder, IrFunction, LabelStatement, Value, Variable } from '../wasm/ir'
import { structure } from './control-flow'
import type { StructureNode } from './control-flow'
import { decodeRecord } from './decoded-instruction'
import type { DecodedInstruction } from './decoded-instruction'
import { CANONICAL, DYNAMIC, isDynamic } from './flag-state'
import type { FlagState } from './flag-state'
import { FloatChain, isArithmetic } from './float-chain'
import { RegionEmitter } from './region-emitter'
import type { Jump, RegionState } from './region-emitter'
import { storeFlags } from './flag-words'
import { RegionFrame, type RegionShape } from './region-frame'
import { PAGE_BYTES, addressOf, distanceOf, isCrossing, type RegionPlan } from './region-plan'
import { emitFinal } from './emit-final'
import { successorsOf } from './successors'
import { findHash } from './target-hash'
import { TrackedX87Stack } from './tracked-x87-stack'
import { executionOf } from './translatable'
import { registersWritten } from './written-registers'

interface BasicBlock {
  readonly number: number
  readonly offset: number
  readonly end: number
  readonly instructions: readonly DecodedInstruction[]
  readonly successors: readonly number[]
  /** Its last instruction runs behind the write-back. */
  readonly isFinal: boolean
  readonly isTracked: boolean
}

/** How to get to a block from where code is being emitted. */
interface Way {
  readonly label: LabelStatement
  /** The number that the dispatcher at the label wants, in its variable. */
  readonly selector?: { readonly variable: Variable; readonly number: number }
}

export interface EmitOptions {
  /** Registers live in locals; else only where loops make that worth while. */
  readonly resident?: boolean
  /** Else as the plan says. */
  readonly brief?: boolean
  readonly Builder?: typeof FunctionBuilder
}

export function emitRegion(name: string, plan: RegionPlan, helpers: HelperImports, options: EmitOptions = {}): IrFunction {
  return new RegionBuilder(name, plan, helpers, options).build()
}

/** So many targets of a return or an indirect jump are compared one after the other. */
const COMPARED_MAX = 4

class RegionBuilder implements RegionState {
  flags: FlagState = CANONICAL
  readonly seen: Set<InvariantName> = new Set<InvariantName>()
  readonly chain: FloatChain
  readonly x87: TrackedX87Stack
  isTracked = true
  computes = false
  private readonly frame: RegionFrame
  private readonly nodes: readonly StructureNode[]
  private readonly resident: boolean
  private readonly blocks: readonly BasicBlock[]
  private readonly byOffset: ReadonlyMap<number, BasicBlock>
  /** Number of jumps to each block. */
  private readonly entered: readonly number[]
  private readonly ways = new Map<number, Way>()
  /** Flags with which the only jump to a block comes. */
  private readonly incoming = new Map<number, FlagState>()
  private loops = 0
  /** Of the page of the block that is being emitted. */
  private distance = 0
  /** Blocks at which a loop begins. */
  private readonly headers = new Set<number>()
  /** Of the last instruction. */
  private emitter: RegionEmitter | undefined

  constructor(
    name: string,
    private readonly plan: RegionPlan,
    private readonly helpers: HelperImports,
    { resident, brief = plan.brief ?? false, Builder }: EmitOptions,
  ) {
    this.blocks = basicBlocks(plan)
    this.byOffset = new Map(this.blocks.map((block) => [block.offset, block]))
    const entered = this.blocks.map(() => 0)
    for (const block of this.blocks) if (!block.isFinal) for (const target of block.successors) entered[target]!++
    // the region's own entries, and what resumes it, come with canonical flags, in the slots as well
    const resumed = this.blocks.flatMap((block) => (block.isFinal ? block.successors : []))
    for (const entry of new Set([...plan.entries, ...resumed])) {
      if (entered[entry] === 0) this.incoming.set(entry, CANONICAL)
      entered[entry]! += 2
    }
    this.entered = entered
    this.nodes = structure(
      this.blocks.map((block) => block.number),
      new Set(plan.entries),
      (block) => this.blocks[block]!.successors,
    )
    this.resident = resident ?? this.nodes.some(({ kind }) => kind !== 'block')
    const shape: RegionShape = {
      key: plan.key,
      entries: plan.entries.map((entry) => this.blocks[entry]!.offset),
      end: Math.max(...this.blocks.map((block) => block.end)),
      hasBlock: (offset) => this.byOffset.has(offset),
      resident: this.resident,
      brief,
      resumes: resumed.length > 0,
      ...(plan.others && { others: plan.others }),
    }
    this.frame = new RegionFrame(name, shape, helpers, Builder)
    this.chain = new FloatChain(this.frame, helpers)
    this.x87 = new TrackedX87Stack(this.frame)
  }

  build(): IrFunction {
    const { frame, plan, nodes } = this
    frame.build(() => {
      this.findHeaders(nodes)
      const enter = (entry: number): void => this.enter(this.blocks[entry]!)
      this.list(nodes, () => (plan.entries.length === 1 ? enter(plan.entries[0]!) : this.dispatch(frame.builder.param(1), plan.entries, enter)))
    })
    return frame.builder
  }

  get inLoop(): boolean {
    return this.loops > 0
  }

  // ---- structure ----

  /** Emits nodes; `first` stands before them and jumps to some of them. Each node's label encloses everything before it. */
  private list(nodes: readonly StructureNode[], first: () => void): void {
    const emit = (count: number): void => {
      const node = nodes[count - 1]
      if (node === undefined) return first()
      this.frame.builder.block((label) => {
        const restore = this.lead(node, label)
        emit(count - 1)
        restore()
      })
      this.node(node)
    }
    emit(nodes.length)
  }

  /** Makes the label the way to a node; returns what undoes it. */
  private lead(node: StructureNode, label: LabelStatement): () => void {
    const entries = node.kind === 'block' ? [node.block] : node.entries
    const before = entries.map((entry) => this.ways.get(entry))
    const variable = entries.length > 1 ? this.selectorOf(entries) : undefined
    entries.forEach((entry, number) => this.ways.set(entry, variable === undefined ? { label } : { label, selector: { variable, number } }))
    return () =>
      entries.forEach((entry, i) => {
        const way = before[i]
        if (way === undefined) this.ways.delete(entry)
        else this.ways.set(entry, way)
      })
  }

  private readonly selectors = new Map<string, Variable>()
  private selectorOf(entries: readonly number[]): Variable {
    const key = entries.join()
    let variable = this.selectors.get(key)
    if (variable === undefined) this.selectors.set(key, (variable = this.frame.builder.variable('i32')))
    return variable
  }

  private node(node: StructureNode): void {
    if (node.kind === 'block') return this.block(this.blocks[node.block]!)
    const { builder, loops } = this.frame
    this.loops++
    const before = builder.reserve()
    builder.loop((label) => {
      const restore = this.lead(node, label)
      const [header] = node.entries
      loops.within(before, this.written(node), () => {
        if (node.entries.length > 1) {
          const variable = this.selectorOf(node.entries)
          this.list(node.body, () => this.dispatch(builder.get(variable), node.entries, (entry) => this.go(entry)))
        } else {
          this.list(node.body, () => this.go(header!))
        }
      })
      restore()
    })
    this.loops--
  }

  /** A bit for each general register that may change in there; undefined: and anything else, behind an instruction that wants the whole state. */
  private written(node: StructureNode): number | undefined {
    if (node.kind === 'block') {
      const { isFinal, successors, instructions } = this.blocks[node.block]!
      if (isFinal && successors.length > 0) return undefined
      return instructions.reduce((all, instruction) => all | registersWritten(instruction), 0)
    }
    return node.body.reduce<number | undefined>((all, inner) => {
      const more = all === undefined ? undefined : this.written(inner)
      return all === undefined || more === undefined ? undefined : all | more
    }, 0)
  }

  private dispatch(selector: Value, entries: readonly number[], go: (entry: number) => void): void {
    this.frame.builder.switch(selector, entries.map((_, i) => i).concat(0), entries.map((entry) => () => go(entry)))
  }

  private findHeaders(nodes: readonly StructureNode[]): void {
    for (const node of nodes) {
      if (node.kind === 'block') continue
      for (const entry of node.entries) this.headers.add(entry)
      this.findHeaders(node.body)
    }
  }

  /** Jumps to a block. A loop's header is paid for where the jump is: flags are known there, so the loop need not carry them just for this way out. */
  private enter(block: BasicBlock): void {
    if (this.headers.has(block.number)) this.pay(block)
    this.go(block.number)
  }

  /** Takes a block's instructions off the budget, or leaves before it. */
  private pay({ offset, instructions }: BasicBlock): void {
    const { builder, budget } = this.frame
    const before = builder.get(budget)
    const count = builder.constant('i32', instructions.length)
    builder.if(builder.op('i32.lt_s', [before, count]), () => this.frame.interpret(offset, 0))
    builder.set(budget, builder.op('i32.sub', [before, count]))
  }

  /** A jump as such: flags are where the block expects them. */
  private go(block: number): void {
    const way = this.ways.get(block)
    if (way === undefined) throw new Error(`no way to block ${block}`)
    const { builder } = this.frame
    if (way.selector !== undefined) builder.set(way.selector.variable, builder.constant('i32', way.selector.number))
    builder.branch(way.label)
  }

  // ---- blocks ----

  private block(block: BasicBlock): void {
    this.distance = distanceOf(block.offset)
    this.straight(block)
    this.frame.windows?.close()
  }

  private straight(block: BasicBlock): void {
    const { frame } = this
    const { builder } = frame
    const count = block.instructions.length
    frame.general.forget()
    frame.vectors.forget()
    this.seen.clear()
    this.chain.forget()
    this.computes = block.instructions.some(({ form }) => isArithmetic(form))
    this.isTracked = block.isTracked
    this.flags = DYNAMIC
    if (!this.headers.has(block.number)) this.pay(block)
    const incoming = this.incoming.get(block.number)
    if (incoming !== undefined) this.flags = frame.flags.load(incoming)

    let taken: Jump | undefined
    for (const [i, instruction] of block.instructions.entries()) {
      if (isCrossing(instruction.offset, instruction.length)) this.cross(instruction, count - i)
      if (executionOf(instruction.form, this.plan.key) !== 'inline') {
        this.endArithmetic()
        return this.final(instruction, block)
      }
      this.chain.pass(instruction.form)
      if (instruction.form.operands.some(({ kind }) => kind === 'mm')) this.x87.release()
      const unused = count - i
      const leaving = {
        interpret: (): void => {
          this.settleHere()
          frame.interpret(instruction.offset, unused)
        },
        fault: (status: Value): void => {
          this.settleHere()
          builder.rare()
          frame.leave(status, frame.ripAt(instruction.offset), unused)
        },
        alone: (): void => {
          this.settleHere()
          frame.leaveWithinAndRun(frame.ripAt(instruction.offset), unused - 1, () => emitFinal(builder, frame.vcpu, instruction, this.helpers))
        },
        refuse: (): void => {
          builder.callVoid(this.helpers.get('region_refused'), [frame.vcpu, builder.constant('i64', addressOf(this.plan, block.offset))])
          frame.interpret(instruction.offset, unused)
        },
        behind: (): void => {
          this.settleHere()
          this.leaveBehind(instruction, unused - 1)
        },
      }
      const emitter = new RegionEmitter(frame, instruction, this, leaving, this.helpers)
      const meaning = semantics[instruction.form.operation]
      if (meaning === undefined) throw new Error(`no meaning of ${instruction.form.operation}`)
      meaning(emitter)
      this.x87.end()
      if (!block.isTracked) this.x87.release()
      taken = emitter.taken
      this.emitter = emitter
    }
    this.endArithmetic()
    if (taken === undefined) return this.jumpTo(block.end)
    const { condition, target } = taken
    if (condition === undefined) return this.follow(block, target)
    const flags = this.flags
    builder.if(condition, () => this.follow(block, target))
    this.flags = flags
    this.jumpTo(block.end)
  }

  /** At the end of a basic block. */
  private endArithmetic(): void {
    this.chain.settle()
    this.x87.release()
    this.frame.pointers.endBlock(!this.resident)
  }

  /** In a branch that leaves the region. */
  private settleHere(): void {
    this.chain.settleHere()
    this.x87.storePending()
  }

  private leaveBehind({ offset, length }: DecodedInstruction, unused: number): void {
    const { frame } = this
    const next = offset + length
    if (unused > 0 && distanceOf(next) === distanceOf(offset)) frame.interpret(next, unused)
    else frame.leave(frame.builder.constant('i32', L.STATUS_JUMP), frame.ripAt(next), unused)
  }

  /** Before an instruction that goes on in the next page: that must be the one it was decoded from. Behind it that is the page that is there. */
  private cross({ offset }: DecodedInstruction, unused: number): void {
    const { frame } = this
    const next = distanceOf(offset) + PAGE_BYTES
    const leave = (): void => {
      this.settleHere()
      frame.interpret(offset, unused)
    }
    if (next !== 0) frame.builder.if(frame.builder.op('i32.eqz', [frame.isThere(next)]), leave)
    this.distance = next
  }

  /** The last instruction of a block: runs with everything written back. */
  private final(instruction: DecodedInstruction, block: BasicBlock): void {
    const { frame } = this
    const { builder } = frame
    if (!this.resident) this.settleAtExit()
    const rip = frame.ripAt(instruction.offset)
    if (block.successors.length === 0) return frame.leaveAndRun(rip, () => emitFinal(builder, frame.vcpu, instruction, this.helpers))
    frame.writeBack(rip)
    emitFinal(builder, frame.vcpu, instruction, this.helpers, () => {
      frame.resume()
      this.flags = CANONICAL
      this.jumpTo(block.end)
    })
  }

  /** At the usual ends of a region flags whose kind is known are computed on the spot, the others by a call: at the common exit, if there is one. */
  private settleAtExit(): void {
    if (!isDynamic(this.flags)) this.emitter?.canonicalize()
    else if (!this.resident) storeFlags(this.frame.builder, this.frame.vcpu, this.frame.flags, this.helpers)
  }

  private follow(block: BasicBlock, target: number | Value): void {
    if (typeof target === 'number') return this.jumpTo(target)
    const { builder } = this.frame
    // a return to one of the calls that the region made, an indirect jump or call to where it may go
    const ways = block.successors.map((number) => this.blocks[number]!.offset)
    const jumpIfSo = (offset: number): void => {
      const same = builder.op(this.frame.wide ? 'i64.eq' : 'i32.eq', [target, this.frame.ripAt(offset)])
      builder.if(same, () => this.jumpTo(offset))
    }
    const hash = ways.length > COMPARED_MAX ? findHash(ways) : undefined
    if (hash === undefined) {
      ways.slice(0, COMPARED_MAX).forEach(jumpIfSo)
    } else {
      const number = (n: number): Value => builder.constant('i32', n)
      const low = (value: Value): Value => (this.frame.wide ? builder.op('i32.wrap_i64', [value]) : value)
      const offset = builder.op('i32.sub', [low(target), low(this.frame.base)])
      const index = builder.op('i32.and', [builder.op('i32.shr_u', [offset, number(hash.shift)]), number(hash.slots.length - 1)])
      const none = (): void => undefined
      builder.switch(index, hash.slots.map((way) => way + 1).concat(0), [none, ...ways.map((way) => (): void => jumpIfSo(way))])
    }
    this.settleAtExit()
    this.frame.jump(target)
  }

  private jumpTo(offset: number): void {
    const target = this.byOffset.get(offset)
    if (target === undefined) {
      this.settleAtExit()
      return this.frame.jump(this.frame.ripAt(offset))
    }
    if (distanceOf(offset) !== this.distance && distanceOf(offset) !== 0) {
      // the own page is the one that was entered, others are looked at each time
      const flags = this.flags
      this.frame.builder.if(this.frame.builder.op('i32.eqz', [this.frame.isThere(offset)]), () => {
        this.frame.builder.rare()
        this.settleAtExit()
        this.frame.jump(this.frame.ripAt(offset))
      })
      this.flags = flags
    }
    if (this.entered[target.number] === 1 && !isDynamic(this.flags)) this.incoming.set(target.number, this.flags)
    this.enter(target)
  }
}

function basicBlocks(plan: RegionPlan): readonly BasicBlock[] {
  const view = new DataView(plan.records.buffer, plan.records.byteOffset, plan.records.byteLength)
  const decoded = plan.blocks.map(({ offset, first, count }) => {
    let at = offset
    return Array.from({ length: count }, (_, i) => {
      const instruction = decodeRecord(view, (first + i) * L.REC_BYTES, at)
      at += instruction.length
      return instruction
    })
  })
  const byOffset = new Map(plan.blocks.map((block, number) => [block.offset, number]))
  const all = plan.blocks.map((block, number) => {
    const instructions = decoded[number]!
    const last = instructions.at(-1)
    return { offset: block.offset, instructions, final: last !== undefined && executionOf(last.form, plan.key) !== 'inline' }
  })
  const ways = successorsOf(all, (plan.aims ?? []).map((number) => plan.blocks[number]!.offset))
  return plan.blocks.map((block, number) => ({
    number,
    offset: block.offset,
    end: block.offset + block.bytes,
    instructions: decoded[number]!,
    isFinal: all[number]!.final,
    isTracked: block.untracked !== true,
    successors: ways[number]!.map((offset) => byOffset.get(offset)).filter((target) => target !== undefined),
  }))
}
