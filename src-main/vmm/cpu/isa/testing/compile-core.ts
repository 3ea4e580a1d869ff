/** Compiles part of the AssemblyScript core on the spot, for tests of a part without the whole machine. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CORE_STATIC } from '../../layout'

const CPU = fileURLToPath(new URL('../..', import.meta.url))

const ENTRY = 'entry.ts'

/** Exports everything that the named files of cpu/ export ('./core/decode/index'). */
export const compileCore = async (...files: readonly string[]): Promise<WebAssembly.Module> => {
  const { main } = await import('assemblyscript/asc')
  let wasm: Uint8Array<ArrayBuffer> | undefined
  const result = await main(
    [ENTRY, '--outFile', 'core.wasm', '--runtime', 'stub', '--importMemory', '--memoryBase', String(CORE_STATIC), '-O2', '--use', 'abort=', '--enable', 'simd,threads'],
    {
      readFile: (name, baseDir) => {
        if (name === ENTRY) return files.map((file) => `export * from '${file}'\n`).join('')
        const path = join(CPU, baseDir === '.' ? '' : baseDir, name)
        return existsSync(path) ? readFileSync(path, 'utf8') : null
      },
      writeFile: (_name, contents) => {
        if (typeof contents !== 'string') wasm = new Uint8Array(contents)
      },
      listFiles: () => [],
    },
  )
  if (result.error !== null || wasm === undefined) throw new Error(`${files.join(', ')} does not compile: ${result.stderr.toString()}`)
  return new WebAssembly.Module(wasm)
}
