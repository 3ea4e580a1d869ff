/** The table of how regions execute each form, as it was found when the program was built: finding it costs the machine's thread up to 100 ms. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageFile } from '../../support/package-folder'
import { loadExecutions } from '../translator/translatable'

export const EXECUTIONS_FILE = 'executions.bin'
let loaded = false

/** Once for each thread. `directory`: the folder of the core's WebAssembly, when it is not found by itself. */
export function useBuiltExecutions(directory: string = dirname(packageFile('out/core/core.wasm'))): void {
  if (loaded) return
  loaded = true
  const file = join(directory, EXECUTIONS_FILE)
  if (existsSync(file)) loadExecutions(readFileSync(file))
}
