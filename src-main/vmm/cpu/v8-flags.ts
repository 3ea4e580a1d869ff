/**
 * V8's options for the WebAssembly that machines run. They are the process's; everything else in it that is WebAssembly obeys the same rules.
 *
 * Branch hints move what hardly ever runs (TLB misses, exits to the interpreter) behind the code and out of its registers. Stack checks cost a
 * load and a branch in each loop iteration and each entry of a region; what they are for, interrupting endless loops and stopping endless recursion, cannot
 * happen: every loop pays from the budget, regions and the core call each other to a bounded depth, and no guest can change that.
 * Measured together: integer sections 10 to 25 %, kernel code 10 to 20 %.
 */
import { setFlagsFromString } from 'node:v8'

/** Later versions have branch hints without asking, and complain about names that they do not know. */
const BRANCH_HINTS_SHIPPED = 13

let done = false

/** Before the first module is compiled. */
export function tuneWebAssembly(): void {
  if (done) return
  done = true
  setFlagsFromString('--no-wasm-stack-checks')
  setFlagsFromString('--experimental-wasm-compilation-hints')
  if (Number.parseInt(process.versions.v8, 10) < BRANCH_HINTS_SHIPPED) setFlagsFromString('--experimental-wasm-branch-hinting')
}
