/** Nodes of the IR: a function body is a list of statements; values are SSA definitions in that list. */
import { OPS } from './ops'
import type { Immediates, OpName } from './ops'

export type IrType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'
export type { OpName }

/** What the table says about one operation, unpacked once. */
export interface OpInfo {
  readonly name: OpName
  /** Number in the order of the table, for tables of other properties. */
  readonly index: number
  readonly opcode: number
  /** undefined stands for "the type of the first argument" (select). */
  readonly params: readonly (IrType | undefined)[]
  readonly result: IrType | 'first' | undefined
  readonly immediates: Immediates | undefined
  /** Depends on its arguments only, so it may move to its use or vanish. */
  readonly pure: boolean
  /** log2 of the alignment that the binary format wants: natural for atomics, else 0. */
  readonly align: number
}

const TYPE_OF_LETTER: Readonly<Record<string, IrType>> = { i: 'i32', l: 'i64', f: 'f32', d: 'f64', v: 'v128' }

function unpack(name: OpName, index: number): OpInfo {
  const row: readonly [number, string, string, Immediates?] = OPS[name]
  const [opcode, params, result, immediates] = row
  const width = /^i(\d+)\.atomic\.[a-z]+(\d*)/.exec(name)
  return {
    name,
    index,
    opcode,
    params: [...params].map((letter) => TYPE_OF_LETTER[letter]),
    result: result === 's' ? 'first' : TYPE_OF_LETTER[result],
    immediates,
    pure: immediates === undefined || immediates === 'lane' || immediates === 'lanes16',
    align: width === null ? 0 : Math.log2(Number(width[2] === '' ? width[1] : width[2]) / 8),
  }
}

export const OP_INFO: ReadonlyMap<OpName, OpInfo> = new Map((Object.keys(OPS) as OpName[]).map((name, index) => [name, unpack(name, index)]))

export function opInfo(name: OpName): OpInfo {
  const info = OP_INFO.get(name)
  if (info === undefined) throw new Error(`no WebAssembly operation is called ${String(name)}`)
  return info
}

/** A statement list. `parent` is the list that holds the statement this one belongs to. */
export class Block {
  readonly statements: Statement[] = []
  /** It hardly ever runs (builder.rare). */
  rare = false
  constructor(readonly parent: Block | undefined) {}
}

/**
 * Where a value comes from. Sources of all kinds have the same properties in the same order: V8 then has one hidden class for them all, and the questions
 * that everything here asks all the time stay fast.
 */
export type Source =
  | (Details & { readonly kind: 'op'; readonly what: OpInfo })
  | (Details & { readonly kind: 'const'; readonly what: number | bigint })
  /** By its index. */
  | (Details & { readonly kind: 'param'; readonly what: number })
  | (Details & { readonly kind: 'get'; readonly what: Variable })
  | (Details & { readonly kind: 'call'; readonly what: FunctionRef })
  /** Through the module's table; the last argument is the slot. */
  | (Details & { readonly kind: 'call-indirect'; readonly what: Signature })

interface Details {
  /** Of an operation; of a v128 constant its bytes. */
  readonly immediates: readonly number[]
  /** Constant offset of a memory operation. */
  readonly offset: number
}

/** A value: defined once, usable in the block that defines it and the blocks within. */
export class Value {
  readonly statement = 'value'
  /** Uses by live statements; counted by the encoder. */
  uses = 0
  /** Index of the WebAssembly local that holds it, -1: none. */
  local = -1
  /** Positions of the definition and of the last evaluation that wants it; the encoder's (emit/liveness.ts). */
  at = -1
  lastUse = -1
  /** The local is that of the variable which this value reads. */
  alias = false
  constructor(
    readonly type: IrType,
    readonly source: Source,
    readonly args: readonly Value[],
    /** May be evaluated at its use instead of its definition. */
    readonly pure: boolean,
    readonly block: Block | undefined,
  ) {}
}

/** Positions of statements (emit/liveness.ts) are less. */
export const NO_POSITION = 0x40000000

/** A place that may be set more than once; what carries values across if and loop. Starts as zero. */
export class Variable {
  local = -1
  /** Some statement reads it. */
  read = false
  /** Positions of the first and last statement that wants it, and of its next set, while the encoder looks at statements from the last to the first. */
  first = -1
  last = -1
  nextSet: number = NO_POSITION
  constructor(
    readonly type: IrType,
    /** It is set before it is read on every way, and means nothing outside the span of its uses (and of the loops within): its local may serve others. */
    readonly temporary: boolean = false,
  ) {}
}

export interface Signature {
  readonly params: readonly IrType[]
  readonly results: readonly IrType[]
}

/** A function that can be called: imported or defined. */
export interface FunctionRef extends Signature {
  readonly name: string
}

/** Values that are evaluated even when nobody uses them. */
export function hasEffect(source: Source): boolean {
  return source.kind === 'call' || source.kind === 'call-indirect'
}

export interface SetStatement {
  readonly statement: 'set'
  readonly variable: Variable
  readonly value: Value
}
/** A memory operation without result, by its operation (i32.store8, memory.copy ...). */
export interface EffectStatement {
  readonly statement: 'effect'
  readonly info: OpInfo
  readonly args: readonly Value[]
  readonly immediates: readonly number[]
  readonly offset: number
}
/** Call of a function without result. */
export interface CallStatement {
  readonly statement: 'call'
  readonly target: FunctionRef
  readonly args: readonly Value[]
}
export interface IfStatement {
  readonly statement: 'if'
  readonly condition: Value
  readonly then: Block
  readonly otherwise: Block | undefined
}
/** `loop`: a branch to it goes on with its start; `block`: a branch to it leaves it. */
export interface LabelStatement {
  readonly statement: 'loop' | 'block'
  readonly body: Block
}
export interface BranchStatement {
  readonly statement: 'branch'
  readonly target: LabelStatement
  readonly condition: Value | undefined
}
/** targets[index] is the number of the case that runs, beyond the end the last entry's; after a case control goes on behind the switch. */
export interface SwitchStatement {
  readonly statement: 'switch'
  readonly index: Value
  readonly targets: readonly number[]
  readonly cases: readonly Block[]
}
export interface ReturnStatement {
  readonly statement: 'return'
  readonly value: Value | undefined
}
export type Statement =
  | Value
  | SetStatement
  | EffectStatement
  | CallStatement
  | IfStatement
  | LabelStatement
  | BranchStatement
  | SwitchStatement
  | ReturnStatement

export interface IrFunction extends FunctionRef {
  readonly body: Block
}
