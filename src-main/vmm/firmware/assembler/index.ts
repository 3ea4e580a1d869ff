export { assemble } from './assemble'
export type { AssembledImage, AssembleOptions } from './assemble'
export { SourceError } from './source-error'
