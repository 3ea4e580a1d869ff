/** The core's functions that emitted code calls, imported as they are met. */
import type { HelperSignature, HelperTable } from '../helpers/signature'
import type { IrType } from '../wasm/ir'
import type { ImportedFunction } from '../wasm/emit'

export const CORE_MODULE = 'core'

export type AccessHelper =
  | 'read_slow'
  | 'write_slow'
  | 'read_slow_128'
  | 'write_slow_128'
  | 'probe_write'
  | 'segment_check'
  | 'raise'
  | 'region_read'
  | 'region_write'
  | 'region_refused'
  | 'region_code'
  | 'region_resumes'
  | 'region_copy'
  | 'region_fill'

/**
 * What emitted code itself calls, in core/mmu, core/segment and core/interrupt. `flags` is the number of bytes, with ACCESS_STACK
 * (core/mmu/access) when the access goes through SS.
 */
export const ACCESS_HELPERS: Readonly<Record<AccessHelper, HelperSignature>> = {
  /** (linear, flags): value; EXC_VECTOR >= 0 afterwards: fault. */
  read_slow: { params: ['i64', 'i32'], result: 'i64 or fault' },
  /** (linear, value, flags) */
  write_slow: { params: ['i64', 'i64', 'i32'], result: 'status' },
  /** (linear, flags): 16 bytes to or from SCRATCH. */
  read_slow_128: { params: ['i64', 'i32'], result: 'status' },
  write_slow_128: { params: ['i64', 'i32'], result: 'status' },
  /** (linear, flags): afterwards read_slow and write_slow of the range cannot fault. */
  probe_write: { params: ['i64', 'i32'], result: 'status' },
  /** Regions: (linear, flags): where the bytes lie in the machine's memory, 0 when they are not plain memory. Nothing else happens. */
  region_read: { params: ['i64', 'i32'], result: 'i32' },
  region_code: { params: ['i64', 'i32'], result: 'i32' },
  region_write: { params: ['i64', 'i32'], result: 'i32' },
  /** Regions: (guest-physical address): a block leaves the rest of itself to the interpreter because of the x87's stack. */
  region_refused: { params: ['i64'], result: 'void' },
  /** Regions, with ATTENTION not 0 between two instructions: 1 = the next one may run. */
  region_resumes: { params: [], result: 'i32' },
  /** Regions: (linear source, linear destination, elements, bytes of an element): whether the whole run of a REP MOVS has been done. */
  region_copy: { params: ['i64', 'i64', 'i64', 'i32'], result: 'i32' },
  /** (linear destination, value, elements, bytes of an element) */
  region_fill: { params: ['i64', 'i64', 'i64', 'i32'], result: 'i32' },
  /** (segment, effective address, bytes, 1 = write) */
  segment_check: { params: ['i32', 'i64', 'i32', 'i32'], result: 'status' },
  /** (vector, error code, 1 = push the error code): records an exception, returns STATUS_FAULT. */
  raise: { params: ['i32', 'i32', 'i32'], result: 'status' },
}

export class HelperImports {
  private readonly used = new Map<string, ImportedFunction>()

  /** `available`: the functions that the core exports; undefined: all. */
  constructor(
    private readonly table: HelperTable,
    private readonly available?: ReadonlySet<string> | undefined,
  ) {}

  get imports(): readonly ImportedFunction[] {
    return [...this.used.values()]
  }

  signature(name: string): HelperSignature {
    const own: HelperTable = ACCESS_HELPERS
    const signature = this.table[name] ?? own[name]
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
