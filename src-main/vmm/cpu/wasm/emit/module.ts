/** IR functions -> a WebAssembly module. */
import { ByteBuffer } from './byte-buffer'
import { VALUE_TYPE, encodeFunction } from './function-encoder'
import type { BranchHint } from './function-encoder'
import type { FunctionRef, IrFunction, Signature } from '../ir'

export interface ImportedFunction extends FunctionRef {
  readonly module: string
}

/** A function table, of any size, that the module's indirect calls go through. */
export interface ImportedTable {
  readonly module: string
  readonly name: string
  /** The signatures with which its functions are called. */
  readonly signatures: readonly Signature[]
}

export interface ModuleDescription {
  readonly imports: readonly ImportedFunction[]
  readonly functions: readonly IrFunction[]
  readonly exports: readonly FunctionRef[]
  readonly table?: ImportedTable
  /** Asks the engine to compile everything with its optimizing compiler at once. */
  readonly optimized?: boolean
  /** Adds the name section, for stack traces and profiles. */
  readonly names?: boolean
}

/** The largest memory a module accepts, in 64 KiB pages: all machines' memories fit. */
const MEMORY_MAX_PAGES = 0x10000

const SECTION_CUSTOM = 0
const SECTION_TYPE = 1
const SECTION_IMPORT = 2
const SECTION_FUNCTION = 3
const SECTION_EXPORT = 7
const SECTION_CODE = 10
const KIND_FUNCTION = 0
const KIND_TABLE = 1
const KIND_MEMORY = 2
const TYPE_FUNCTION = 0x60
const TYPE_FUNCREF = 0x70
const LIMITS_MIN = 0
const LIMITS_SHARED = 3
const NAMES_OF_FUNCTIONS = 1

export function encodeModule(description: ModuleDescription): Uint8Array<ArrayBuffer> {
  const { imports, functions, exports: exported, table, optimized = false, names = false } = description
  const out = new ByteBuffer(65536)
  const all: readonly FunctionRef[] = [...imports, ...functions]
  const indices = new Map<FunctionRef, number>(all.map((fn, index) => [fn, index]))
  const indexOf = (fn: FunctionRef): number => {
    const index = indices.get(fn)
    if (index === undefined) throw new Error(`${fn.name} is neither imported nor defined`)
    return index
  }
  const signatures = new Map<string, { index: number; fn: Signature }>()
  const typeOf = (fn: Signature): number => {
    const key = signatureKey(fn)
    let type = signatures.get(key)
    if (type === undefined) signatures.set(key, (type = { index: signatures.size, fn }))
    return type.index
  }
  const typeIndices = all.map(typeOf)
  table?.signatures.forEach(typeOf)
  const typeIndex = (signature: Signature): number => {
    const type = signatures.get(signatureKey(signature))
    if (type === undefined) throw new Error('an indirect call has a signature that the table does not list')
    return type.index
  }
  const section = (id: number, write: () => void): void => {
    out.u8(id)
    const size = out.openSize()
    write()
    out.closeSize(size)
  }

  for (const byte of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.u8(byte)
  section(SECTION_TYPE, () => {
    out.uleb(signatures.size)
    for (const { fn } of signatures.values()) {
      out.u8(TYPE_FUNCTION)
      out.uleb(fn.params.length)
      for (const type of fn.params) out.u8(VALUE_TYPE[type])
      out.uleb(fn.results.length)
      for (const type of fn.results) out.u8(VALUE_TYPE[type])
    }
  })
  section(SECTION_IMPORT, () => {
    out.uleb(imports.length + (table === undefined ? 1 : 2))
    out.name('env')
    out.name('memory')
    out.u8(KIND_MEMORY)
    out.u8(LIMITS_SHARED)
    out.uleb(1)
    out.uleb(MEMORY_MAX_PAGES)
    if (table !== undefined) {
      out.name(table.module)
      out.name(table.name)
      out.u8(KIND_TABLE)
      out.u8(TYPE_FUNCREF)
      out.u8(LIMITS_MIN)
      out.uleb(0)
    }
    imports.forEach((fn, i) => {
      out.name(fn.module)
      out.name(fn.name)
      out.u8(KIND_FUNCTION)
      out.uleb(typeIndices[i]!)
    })
  })
  section(SECTION_FUNCTION, () => {
    out.uleb(functions.length)
    functions.forEach((_, i) => out.uleb(typeIndices[imports.length + i]!))
  })
  section(SECTION_EXPORT, () => {
    out.uleb(exported.length)
    for (const fn of exported) {
      out.name(fn.name)
      out.u8(KIND_FUNCTION)
      out.uleb(indexOf(fn))
    }
  })
  if (optimized) section(SECTION_CUSTOM, () => writeTiers(out, functions.length))
  // hints come before the code that they are about
  const code = new ByteBuffer(65536)
  const hints = functions.map((fn): readonly BranchHint[] => {
    const size = code.openSize()
    const given = encodeFunction(fn, code, { functionIndex: indexOf, typeIndex })
    code.closeSize(size)
    return given
  })
  if (hints.some((given) => given.length > 0)) section(SECTION_CUSTOM, () => writeHints(out, imports.length, hints))
  section(SECTION_CODE, () => {
    out.uleb(functions.length)
    out.append(code.view())
  })
  if (names) {
    section(SECTION_CUSTOM, () => {
      out.name('name')
      out.u8(NAMES_OF_FUNCTIONS)
      const size = out.openSize()
      out.uleb(all.length)
      all.forEach((fn, i) => {
        out.uleb(i)
        out.name(fn.name)
      })
      out.closeSize(size)
    })
  }
  return out.finish()
}

/** V8's compilation hints (not standard; others skip the section): for each function strategy << 0 | first tier << 2 | last tier << 4. */
function writeTiers(out: ByteBuffer, functions: number): void {
  const [eager, optimizing] = [2, 2]
  out.name('compilationHints')
  out.uleb(functions)
  for (let i = 0; i < functions; i++) out.u8(eager | (optimizing << 2) | (optimizing << 4))
}

/** https://github.com/WebAssembly/branch-hinting: for each function, in order of index, its hints in order of offset. */
function writeHints(out: ByteBuffer, firstFunction: number, hints: readonly (readonly BranchHint[])[]): void {
  out.name('metadata.code.branch_hint')
  out.uleb(hints.filter((given) => given.length > 0).length)
  hints.forEach((given, i) => {
    if (given.length === 0) return
    out.uleb(firstFunction + i)
    out.uleb(given.length)
    for (const { offset, likely } of given) {
      out.uleb(offset)
      out.uleb(1)
      out.u8(likely ? 1 : 0)
    }
  })
}

function signatureKey({ params, results }: Signature): string {
  return `${params.join()}>${results.join()}`
}
