/** The typed IR between meanings and WebAssembly. */
export { OPS } from './ops'
export type { Immediates, OpName } from './ops'
export { Block, OP_INFO, Value, Variable, hasEffect, opInfo } from './nodes'
export type { FunctionRef, IrFunction, IrType, LabelStatement, OpInfo, Signature, Statement } from './nodes'
export { FunctionBuilder } from './builder'
export { FoldingBuilder, constantOf } from './folding-builder'
export { verify } from './verifier'
export { print } from './printer'
