/** An interrupt controller for people: made from its saved state, so that looking changes nothing. */
export interface ControllerInput {
  readonly input: number
  /** Hexadecimal; '' when the controller sends none of its own. */
  readonly vector: string
  readonly masked: boolean
  /** The wire, now. */
  readonly level: boolean
  /** Requested and not yet acknowledged, or in service. */
  readonly pending: boolean
  /** In words of the data sheet. */
  readonly note: string
}

export interface ControllerView {
  readonly name: string
  readonly rows: readonly { readonly name: string; readonly value: string }[]
  readonly inputs: readonly ControllerInput[]
}

/** `digits` hexadecimal digits with 0x. */
export function hexText(value: number, digits: number): string {
  return `0x${(value >>> 0).toString(16).padStart(digits, '0')}`
}

/** Numbers of the set bits of a 256-bit register, as "0x30 0x41"; 'none'. */
export function vectorsText(set: readonly number[]): string {
  const vectors: string[] = []
  for (let vector = 0; vector < set.length * 32; vector++) if (((set[vector >> 5] ?? 0) & (1 << (vector & 31))) !== 0) vectors.push(hexText(vector, 2))
  return vectors.length === 0 ? 'none' : vectors.join(' ')
}
