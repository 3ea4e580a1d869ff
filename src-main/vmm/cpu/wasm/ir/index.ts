// Placeholder of the public types; the IR's owner replaces this file (same names).
export type IrType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'
export type OpName = string
export interface Value {
  readonly type: IrType
}
export interface Variable {
  readonly type: IrType
}
