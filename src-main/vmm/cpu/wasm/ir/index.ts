/** The typed IR between meanings and WebAssembly. */
export { OPS } from './ops'
export type { Immediates, OpName } from './ops'
export { Block, OP_INFO, Value, Variable, opInfo } from './nodes'
export type { FunctionRef, IrFunction, IrType, LabelStatement, OpInfo, Statement } from './nodes'
export { FunctionBuilder } from './builder'
export { verify } from './verifier'
export { print } from './printer'
