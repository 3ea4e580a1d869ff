/** IR -> WebAssembly binary. */
export { encodeModule } from './module'
export type { ElementSegment, ImportedFunction, ModuleDescription } from './module'
