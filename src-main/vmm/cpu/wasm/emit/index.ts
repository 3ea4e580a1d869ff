/** IR -> WebAssembly binary. */
export { encodeModule } from './module'
export { functionSizes } from './function-sizes'
export type { ImportedFunction, ImportedTable, ModuleDescription } from './module'
