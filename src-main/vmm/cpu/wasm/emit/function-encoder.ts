/**
 * Encodes one function's body. A pure value that is used once is evaluated where it is used, a read of a variable may use the variable's local
 * (liveness.ts); everything else gets a local at its definition, in statement order. Values without uses vanish, unless they are calls.
 */
import { assertNever } from '../../../errors/assert-never'
import type { ByteBuffer } from './byte-buffer'
import { Liveness } from './liveness'
import { LocalPool } from './local-pool'
import { hasEffect } from '../ir'
import type { Block, FunctionRef, IrFunction, IrType, LabelStatement, OpInfo, Signature, Statement, Value, Variable } from '../ir'

export const VALUE_TYPE: Readonly<Record<IrType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b }

const EMPTY_BLOCK_TYPE = 0x40
const OP_UNREACHABLE = 0x00
/** Cases of a switch that end in one place: about the square root of the interpreter's. */
const SWITCH_GROUP = 48
const OP_BLOCK = 0x02
const OP_LOOP = 0x03
const OP_IF = 0x04
const OP_ELSE = 0x05
const OP_END = 0x0b
const OP_BR = 0x0c
const OP_BR_IF = 0x0d
const OP_BR_TABLE = 0x0e
const OP_RETURN = 0x0f
const OP_CALL = 0x10
const OP_CALL_INDIRECT = 0x11
const OP_DROP = 0x1a
const OP_LOCAL_GET = 0x20
const OP_LOCAL_SET = 0x21
const OP_I32_CONST = 0x41
const OP_I64_CONST = 0x42
const OP_F32_CONST = 0x43
const OP_F64_CONST = 0x44
const OP_V128_CONST = 0xfd00c

/** Indices of functions and signatures in the module. */
export interface ModuleIndices {
  readonly functionIndex: (target: FunctionRef) => number
  readonly typeIndex: (signature: Signature) => number
}

/** What the engine shall expect of an if (the branch hinting proposal: custom section metadata.code.branch_hint). */
export interface BranchHint {
  /** Bytes from the function's locals to the instruction. */
  readonly offset: number
  readonly likely: boolean
}

/** Returns the hints on the function's branches, in their order. */
export function encodeFunction(fn: IrFunction, out: ByteBuffer, indices: ModuleIndices): readonly BranchHint[] {
  return new FunctionEncoder(fn, out, indices).encode()
}

// ---- code ------------------------------------------------------------------------------------------------------------------------

class FunctionEncoder {
  private readonly locals: LocalPool
  private readonly labels: (LabelStatement | undefined)[] = []
  private readonly liveness: Liveness
  /** Of the statement that gets its local. */
  private position: number
  private readonly start: number
  private readonly hints: BranchHint[] = []

  constructor(
    private readonly fn: IrFunction,
    private readonly out: ByteBuffer,
    private readonly indices: ModuleIndices,
  ) {
    this.start = out.length
    this.locals = new LocalPool(fn.params.length)
    this.liveness = new Liveness(fn)
    this.position = this.liveness.start
  }

  encode(): readonly BranchHint[] {
    const { out } = this
    this.assignLocals(this.fn.body)
    const runs = this.locals.declarations()
    out.uleb(runs.length)
    for (const { type, count } of runs) {
      out.uleb(count)
      out.u8(VALUE_TYPE[type])
    }
    this.block(this.fn.body)
    if (this.fn.results.length > 0) out.u8(OP_UNREACHABLE)
    out.u8(OP_END)
    return this.hints
  }

  /** Locals are declared before the code, so they are given out in a pass of their own. */
  private assignLocals(b: Block): void {
    for (const s of b.statements) {
      const at = this.position++
      switch (s.statement) {
        case 'value':
          if (s.source.kind === 'get') this.assignVariable(s.source.what, at)
          if (s.uses === 0 || (s.pure && s.uses === 1)) break
          s.local = s.source.kind === 'get' && s.alias ? s.source.what.local : this.locals.lend(s.type, at, this.liveness.endOf(s))
          break
        case 'set':
          if (s.variable.read) this.assignVariable(s.variable, at)
          break
        case 'if':
          this.assignLocals(s.then)
          if (s.otherwise !== undefined) this.assignLocals(s.otherwise)
          break
        case 'loop':
        case 'block':
          this.assignLocals(s.body)
          break
        case 'switch':
          for (const body of s.cases) this.assignLocals(body)
          break
        default:
          break
      }
    }
  }

  private assignVariable(variable: Variable, at: number): void {
    if (variable.local >= 0) return
    const { liveness, locals } = this
    variable.local = variable.temporary ? locals.lend(variable.type, at, liveness.endOfVariable(variable)) : locals.own(variable.type)
  }

  private block(b: Block): void {
    for (const s of b.statements) this.statement(s)
  }

  private statement(s: Statement): void {
    const { out } = this
    switch (s.statement) {
      case 'value':
        if (s.alias) return
        if (s.local >= 0) {
          this.evaluate(s)
          this.local(OP_LOCAL_SET, s.local)
        } else if (hasEffect(s.source) && s.uses === 0 && !s.pure) {
          this.evaluate(s)
          out.u8(OP_DROP)
        }
        return
      case 'set':
        if (!s.variable.read) return
        this.push(s.value)
        return this.local(OP_LOCAL_SET, s.variable.local)
      case 'effect':
        for (const arg of s.args) this.push(arg)
        return this.operation(s.info, s.immediates, s.offset)
      case 'call':
        for (const arg of s.args) this.push(arg)
        return this.call(s.target)
      case 'if':
        this.push(s.condition)
        if (s.then.rare || s.otherwise?.rare === true) this.hints.push({ offset: out.length - this.start, likely: !s.then.rare })
        out.u8(OP_IF)
        out.u8(EMPTY_BLOCK_TYPE)
        this.labels.push(undefined)
        this.block(s.then)
        if (s.otherwise !== undefined) {
          out.u8(OP_ELSE)
          this.block(s.otherwise)
        }
        this.labels.pop()
        out.u8(OP_END)
        return
      case 'loop':
      case 'block':
        out.u8(s.statement === 'loop' ? OP_LOOP : OP_BLOCK)
        out.u8(EMPTY_BLOCK_TYPE)
        this.labels.push(s)
        this.block(s.body)
        this.labels.pop()
        out.u8(OP_END)
        return
      case 'branch':
        if (s.condition !== undefined) this.push(s.condition)
        out.u8(s.condition === undefined ? OP_BR : OP_BR_IF)
        out.uleb(this.labels.length - 1 - this.labels.lastIndexOf(s.target))
        return
      case 'switch':
        return this.switch(s.index, s.targets, s.cases)
      case 'return':
        if (s.value !== undefined) this.push(s.value)
        out.u8(OP_RETURN)
        return
      default:
        return assertNever(s)
    }
  }

  /**
   * block (one for each case, the first innermost) within a block that ends the switch. Many cases come in groups, each with a block that ends it:
   * V8's optimizing compiler takes space quadratic in the number of branches to one end (for the interpreter's two thousand cases 400 MiB).
   */
  private switch(index: Value, targets: readonly number[], cases: readonly Block[]): void {
    const { out } = this
    const group = cases.length > SWITCH_GROUP ? SWITCH_GROUP : cases.length
    const groups = Math.ceil(cases.length / group)
    const ends = groups > 1 ? groups : 0
    const end = this.labels.length
    for (let i = 0; i < 1 + ends + cases.length; i++) {
      out.u8(OP_BLOCK)
      out.u8(EMPTY_BLOCK_TYPE)
      this.labels.push(undefined)
    }
    this.push(index)
    out.u8(OP_BR_TABLE)
    out.uleb(targets.length - 1)
    // the ends of the groups before lie between
    for (const target of targets) out.uleb(ends > 0 ? target + Math.floor(target / group) : target)
    const close = (): void => {
      out.u8(OP_END)
      this.labels.pop()
    }
    const branch = (depth: number): void => {
      out.u8(OP_BR)
      out.uleb(depth)
    }
    cases.forEach((body, i) => {
      close()
      this.block(body)
      if (i === cases.length - 1) {
        if (ends > 0) close()
        return
      }
      const left = group - 1 - (i % group)
      if (ends > 0 && left > 0) return branch(Math.min(left, cases.length - 1 - i))
      if (ends > 0) close()
      branch(this.labels.length - 1 - end)
    })
    close()
  }

  /** Leaves the value on the stack. */
  private push(v: Value): void {
    if (v.local >= 0) this.local(OP_LOCAL_GET, v.local)
    else this.evaluate(v)
  }

  private evaluate(v: Value): void {
    const { source } = v
    for (const arg of v.args) this.push(arg)
    switch (source.kind) {
      case 'op':
        return this.operation(source.what, source.immediates, source.offset)
      case 'const':
        return this.constant(v.type, source.what, source.immediates)
      case 'param':
        return this.local(OP_LOCAL_GET, source.what)
      case 'get':
        return this.local(OP_LOCAL_GET, source.what.local)
      case 'call':
        return this.call(source.what)
      case 'call-indirect':
        this.out.u8(OP_CALL_INDIRECT)
        this.out.uleb(this.indices.typeIndex(source.what))
        // the first and only table
        return this.out.u8(0)
      default:
        return assertNever(source)
    }
  }

  private constant(type: IrType, number: number | bigint, bytes: readonly number[]): void {
    const { out } = this
    switch (type) {
      case 'i32':
        out.u8(OP_I32_CONST)
        return out.sleb32(Number(number))
      case 'i64':
        out.u8(OP_I64_CONST)
        return out.sleb64(number)
      case 'f32':
        out.u8(OP_F32_CONST)
        return out.f32(Number(number))
      case 'f64':
        out.u8(OP_F64_CONST)
        return out.f64(Number(number))
      case 'v128':
        this.opcode(OP_V128_CONST)
        for (const byte of bytes) out.u8(byte)
        return
      default:
        return assertNever(type)
    }
  }

  private operation(info: OpInfo, immediates: readonly number[], offset: number): void {
    const { out } = this
    this.opcode(info.opcode)
    switch (info.immediates) {
      case undefined:
        return
      case 'memory':
        out.u8(info.align)
        return out.uleb(offset)
      case 'memory-lane':
        out.u8(0)
        out.uleb(offset)
        return out.u8(immediates[0]!)
      case 'lane':
        return out.u8(immediates[0]!)
      case 'lanes16':
        for (const lane of immediates) out.u8(lane)
        return
      case 'zero':
        return out.u8(0)
      case 'zero2':
        out.u8(0)
        return out.u8(0)
      default:
        return assertNever(info.immediates)
    }
  }

  private opcode(opcode: number): void {
    if (opcode < 0x100) return this.out.u8(opcode)
    this.out.u8(opcode >>> 12)
    this.out.uleb(opcode & 0xfff)
  }

  private local(op: number, index: number): void {
    this.out.u8(op)
    this.out.uleb(index)
  }

  private call(target: FunctionRef): void {
    this.out.u8(OP_CALL)
    this.out.uleb(this.indices.functionIndex(target))
  }
}
