/** IR -> WebAssembly binary. */
export { encodeModule } from './module'
export type { ImportedFunction, ImportedTable, ModuleDescription } from './module'
