/** Register names and their encodings. Intel SDM volume 2, section 2.1.5, table B-1. */
export interface Register {
  readonly name: string
  readonly kind: 'gpr' | 'sreg' | 'cr' | 'dr' | 'xmm' | 'rip'
  /** Bytes of a general-purpose register; 0 for the others. */
  readonly bytes: 0 | 1 | 2 | 4 | 8
  readonly number: number
  /** SPL BPL SIL DIL: only with a REX prefix. */
  readonly needsRex: boolean
  /** AH CH DH BH: never with one. */
  readonly forbidsRex: boolean
}

const table = new Map<string, Register>()
function add(name: string, kind: Register['kind'], bytes: Register['bytes'], number: number, needsRex = false, forbidsRex = false): void {
  table.set(name, { name, kind, bytes, number, needsRex, forbidsRex })
}
;['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'].forEach((name, number) => {
  add(name, 'gpr', 2, number)
  add(`e${name}`, 'gpr', 4, number)
  add(`r${name}`, 'gpr', 8, number)
})
;['al', 'cl', 'dl', 'bl'].forEach((name, number) => add(name, 'gpr', 1, number))
;['ah', 'ch', 'dh', 'bh'].forEach((name, number) => add(name, 'gpr', 1, number + 4, false, true))
;['spl', 'bpl', 'sil', 'dil'].forEach((name, number) => add(name, 'gpr', 1, number + 4, true))
for (let number = 8; number < 16; number++) {
  add(`r${number}`, 'gpr', 8, number)
  add(`r${number}d`, 'gpr', 4, number)
  add(`r${number}w`, 'gpr', 2, number)
  add(`r${number}b`, 'gpr', 1, number, true)
}
;['es', 'cs', 'ss', 'ds', 'fs', 'gs'].forEach((name, number) => add(name, 'sreg', 0, number))
for (let number = 0; number < 16; number++) {
  if (number < 9) add(`cr${number}`, 'cr', 0, number)
  if (number < 8) add(`dr${number}`, 'dr', 0, number)
  add(`xmm${number}`, 'xmm', 0, number)
}
add('rip', 'rip', 8, 0)

export function registerNamed(name: string): Register | undefined {
  return table.get(name.toLowerCase())
}
