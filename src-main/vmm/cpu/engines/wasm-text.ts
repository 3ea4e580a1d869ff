/** WebAssembly's text format of a module, by wabt, which is loaded when it is first wanted. */
import type load from 'wabt'

const FEATURES = { simd: true, threads: true, bulk_memory: true, sign_extension: true, sat_float_to_int: true, mutable_globals: true, multi_value: true, reference_types: true } as const

type Wabt = Awaited<ReturnType<typeof load>>
let loaded: Promise<Wabt> | undefined

export async function wasmText(wasm: Uint8Array): Promise<string> {
  loaded ??= import('wabt').then((wabt) => wabt.default())
  const wabt = await loaded
  try {
    const module = wabt.readWasm(wasm, { readDebugNames: true, ...FEATURES })
    try {
      module.applyNames()
      return module.toText({ foldExprs: false, inlineExport: false })
    } finally {
      module.destroy()
    }
  } catch (error) {
    // Its memory may be in any state now: the next text is another instance's.
    loaded = undefined
    return `;; wabt cannot show this module: ${error instanceof Error ? error.message : String(error)}\n`
  }
}
