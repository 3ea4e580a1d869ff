/** The core's functions that emitted code calls, imported as they are met. */
import type { HelperSignature, HelperTable } from '../helpers/signature'
import type { IrType } from '../wasm/ir'
import type { ImportedFunction } from '../wasm/emit'

export const CORE_MODULE = 'core'

/** Memory access and segment checks behind the inline paths, in core/mmu and core/segment. */
export const MEMORY_HELPERS = {
  /** (linear, bytes): value; EXC_VECTOR >= 0 afterwards: fault. */
  read_slow: { params: ['i64', 'i32'], result: 'i64 or fault' },
  /** (linear, value, bytes) */
  write_slow: { params: ['i64', 'i64', 'i32'], result: 'status' },
  /** 16 bytes to or from SCRATCH. */
  read_slow_128: { params: ['i64'], result: 'status' },
  write_slow_128: { params: ['i64'], result: 'status' },
  /** (linear, bytes): afterwards read_slow and write_slow of the range cannot fault. */
  probe_write: { params: ['i64', 'i32'], result: 'status' },
  /** (segment, effective address, bytes, 1 = write) */
  segment_check: { params: ['i32', 'i64', 'i32', 'i32'], result: 'status' },
} as const satisfies HelperTable

export class HelperImports {
  private readonly used = new Map<string, ImportedFunction>()

  /** `available`: the functions that the core exports; undefined: all. */
  constructor(
    private readonly table: HelperTable,
    private readonly available?: ReadonlySet<string>,
  ) {}

  get imports(): readonly ImportedFunction[] {
    return [...this.used.values()]
  }

  signature(name: string): HelperSignature {
    const memory: HelperTable = MEMORY_HELPERS
    const signature = this.table[name] ?? memory[name]
    if (signature === undefined) throw new Error(`helper ${name} is in no table of cpu/helpers`)
    return signature
  }

  /** Helpers take the vCPU's base before the parameters of their signature. */
  get(name: string): ImportedFunction {
    const { params, result } = this.signature(name)
    return this.import(name, ['i32', ...params], result === 'void' ? [] : [resultType(result)])
  }

  import(name: string, params: readonly IrType[], results: readonly IrType[]): ImportedFunction {
    let fn = this.used.get(name)
    if (fn === undefined) {
      if (this.available?.has(name) === false) throw new Error(`the core does not export ${name}`)
      fn = { module: CORE_MODULE, name, params, results }
      this.used.set(name, fn)
    }
    return fn
  }
}

export function resultType(result: Exclude<HelperSignature['result'], 'void'>): IrType {
  switch (result) {
    case 'status':
    case 'i32 or fault':
      return 'i32'
    case 'i64 or fault':
      return 'i64'
    case 'v128 or fault':
      return 'v128'
    default:
      return result
  }
}
