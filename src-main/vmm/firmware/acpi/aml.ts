/** A small encoder for ACPI Machine Language. ACPI 6.3, chapter 20; each function is named after its grammar term. */

/** Encoded AML. */
export type Aml = readonly number[]

const byte = (n: number): number => n & 0xff
const word = (n: number): Aml => [byte(n), byte(n >>> 8)]
const dword = (n: number): Aml => [byte(n), byte(n >>> 8), byte(n >>> 16), byte(n >>> 24)]
const flat = (parts: readonly Aml[]): Aml => parts.flat()
const ascii = (text: string): Aml => [...text].map((character) => character.charCodeAt(0))

/** PkgLength in front of a body; it counts itself. Section 20.2.4. */
function withLength(body: Aml): Aml {
  const bytes = body.length
  if (bytes + 1 < 0x40) return [bytes + 1, ...body]
  if (bytes + 2 < 0x1000) return [0x40 | ((bytes + 2) & 0xf), byte((bytes + 2) >> 4), ...body]
  return [0x80 | ((bytes + 3) & 0xf), byte((bytes + 3) >> 4), byte((bytes + 3) >> 12), ...body]
}

/** A name path such as '\\_SB.PCI0'; segments are filled up with '_'. Section 20.2.2. */
export function namePath(path: string): Aml {
  const isRoot = path.startsWith('\\')
  const rest = isRoot ? path.slice(1) : path
  const segments = rest === '' ? [] : rest.split('.').map((segment) => segment.padEnd(4, '_'))
  const prefix = segments.length === 0 ? [0] : segments.length === 1 ? [] : segments.length === 2 ? [0x2e] : [0x2f, segments.length]
  return [...(isRoot ? [0x5c] : []), ...prefix, ...segments.flatMap((segment) => ascii(segment))]
}

export function integer(n: number): Aml {
  if (n === 0) return [0x00]
  if (n === 1) return [0x01]
  if (n <= 0xff) return [0x0a, n]
  if (n <= 0xffff) return [0x0b, ...word(n)]
  return [0x0c, ...dword(n)]
}
export const text = (value: string): Aml => [0x0d, ...ascii(value), 0]
export const buffer = (bytes: Aml): Aml => [0x11, ...withLength([...integer(bytes.length), ...bytes])]
export const packageOf = (items: readonly Aml[]): Aml => [0x12, ...withLength([items.length, ...flat(items)])]
/** EISA ID such as 'PNP0A03', compressed. Section 19.3.4. */
export function eisaId(id: string): Aml {
  const letter = (i: number): number => id.charCodeAt(i) - 0x40
  const number = parseInt(id.slice(3), 16)
  const maker = (letter(0) << 10) | (letter(1) << 5) | letter(2)
  return [0x0c, byte(maker >> 8), byte(maker), byte(number >> 8), byte(number)]
}

export const name = (path: string, value: Aml): Aml => [0x08, ...namePath(path), ...value]
export const scope = (path: string, ...body: readonly Aml[]): Aml => [0x10, ...withLength([...namePath(path), ...flat(body)])]
export const device = (path: string, ...body: readonly Aml[]): Aml => [0x5b, 0x82, ...withLength([...namePath(path), ...flat(body)])]
export const method = (path: string, parameters: number, ...body: readonly Aml[]): Aml => [
  0x14, ...withLength([...namePath(path), parameters, ...flat(body)]),
]
/** `space`: 0 SystemMemory, 1 SystemIO, 2 PCI_Config. */
export const operationRegion = (path: string, space: number, offset: number, bytes: number): Aml => [
  0x5b, 0x80, ...namePath(path), space, ...integer(offset), ...integer(bytes),
]
/** One field of 32 bits, dword access. */
export const dwordField = (region: string, path: string): Aml => [0x5b, 0x81, ...withLength([...namePath(region), 0x03, ...ascii(path.padEnd(4, '_')), 32])]
/** Tells the operating system that something happened to a device: section 5.6.6. */
export const notify = (target: string, value: number): Aml => [0x86, ...namePath(target), ...integer(value)]
/** Consecutive fields of 8 bits, byte access. */
export const byteFields = (region: string, names: readonly string[]): Aml => [
  0x5b, 0x81, ...withLength([...namePath(region), 0x01, ...names.flatMap((field) => [...ascii(field.padEnd(4, '_')), 8])]),
]
export const createDwordField = (source: Aml, offset: number, path: string): Aml => [0x8a, ...source, ...integer(offset), ...namePath(path)]
export const store = (value: Aml, target: Aml): Aml => [0x70, ...value, ...target]
export const and = (a: Aml, b: Aml, target: Aml = [0]): Aml => [0x7b, ...a, ...b, ...target]
export const or = (a: Aml, b: Aml, target: Aml = [0]): Aml => [0x7d, ...a, ...b, ...target]
export const returnValue = (value: Aml): Aml => [0xa4, ...value]
export const ifThen = (condition: Aml, ...body: readonly Aml[]): Aml => [0xa0, ...withLength([...condition, ...flat(body)])]
export const LOCAL0: Aml = [0x60]
export const ARG0: Aml = [0x68]

// ---- resource descriptors: section 6.4 --------------------------------------------------------------------------------------------------

export const irq = (...lines: readonly number[]): Aml => [0x22, ...word(lines.reduce((bits, line) => bits | (1 << line), 0))]
export const io = (first: number, bytes: number): Aml => [0x47, 1, ...word(first), ...word(first), 1, bytes]
export const memory32Fixed = (address: number, bytes: number, writable: boolean): Aml => [
  0x86, ...word(9), writable ? 1 : 0, ...dword(address), ...dword(bytes),
]
/** Extended interrupt: level-triggered, active high, shared. The first number stands at byte 5. */
export const interrupts = (...numbers: readonly number[]): Aml => [
  0x89, ...word(2 + numbers.length * 4), 0x09, numbers.length, ...numbers.flatMap((n) => [...dword(n)]),
]
export const busNumbers = (first: number, last: number): Aml => [
  0x88, ...word(13), 2, 0x0c, 0, ...word(0), ...word(first), ...word(last), ...word(0), ...word(last - first + 1),
]
/** As `interrupts`, but edge-triggered and not shared. */
export const edgeInterrupt = (number: number): Aml => [0x89, ...word(6), 0x03, 1, ...dword(number)]
/** A window of ports that the bridge passes on. */
export const ioWindow = (first: number, last: number): Aml => [
  0x88, ...word(13), 1, 0x0c, 3, ...word(0), ...word(first), ...word(last), ...word(0), ...word(last - first + 1),
]
export const memoryWindow = (first: number, last: number, cacheable: boolean): Aml => [
  0x87, ...word(23), 0, 0x0c, cacheable ? 3 : 1, ...dword(0), ...dword(first), ...dword(last), ...dword(0), ...dword(last - first + 1),
]
export const resourceTemplate = (...descriptors: readonly Aml[]): Aml => buffer([...flat(descriptors), 0x79, 0])
