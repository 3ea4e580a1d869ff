/** The table of how regions execute each form, as it was found when the program was built: finding it costs the machine's thread up to 100 ms. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadExecutions } from '../translator/translatable'

export const EXECUTIONS_FILE = 'executions.bin'
let loaded = false

/** Once for each thread. `directory`: the folder of the core's WebAssembly. */
export function useBuiltExecutions(directory: string): void {
  if (loaded) return
  loaded = true
  const file = join(directory, EXECUTIONS_FILE)
  if (existsSync(file)) loadExecutions(readFileSync(file))
}
