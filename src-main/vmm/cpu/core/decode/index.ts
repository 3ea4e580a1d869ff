export * from './blocks'
export { decode_instruction } from './decode'
