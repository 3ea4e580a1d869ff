/**
 * The contract of every device. Abilities (port I/O, MMIO, PCI, wake-ups) are separate interfaces, so that a test device stays small.
 */

import type { Width } from '../bus/width'
export type { Width }

/** A device's answer "not like this". The bus turns it into all-ones (reads), counts it and traces it. */
export interface IoFault {
  readonly fault: 'no-register' | 'bad-width' | 'unaligned'
}
export const NO_REGISTER: IoFault = { fault: 'no-register' }
export const BAD_WIDTH: IoFault = { fault: 'bad-width' }
export const UNALIGNED: IoFault = { fault: 'unaligned' }

export interface PioHandler {
  /** `port` is the absolute port number. Returns an unsigned value of `width` bytes. */
  pioRead(port: number, width: Width): number | IoFault
  pioWrite(port: number, width: Width, value: number): IoFault | undefined
}

export interface MmioHandler {
  /** `offset` is relative to the start of the claim. Returns an unsigned value of `width` bytes. */
  mmioRead(offset: number, width: Width): number | IoFault
  mmioWrite(offset: number, width: Width, value: number): IoFault | undefined
}

/** A named range that a device owns. The overlap check, the inspector and the fuzzer read the same list. */
export type Claim =
  | {
      readonly kind: 'pio'
      readonly name: string
      readonly first: number
      readonly last: number
      readonly handler: PioHandler
      /** 'bytes': an 8-bit ISA device. The bus splits wider accesses into byte accesses at consecutive ports, as the chipset does. */
      readonly split?: 'bytes'
    }
  | { readonly kind: 'mmio'; readonly name: string; readonly first: number; readonly last: number; readonly handler: MmioHandler }

/** 'power-on': as after power-up. 'hard': RESET# asserted with power kept (battery-backed and sticky state survives). */
export type ResetKind = 'power-on' | 'hard'

/** Plain data only: numbers, strings, booleans, null, Uint8Array, arrays and objects of these. */
export type PlainData =
  | number
  | string
  | boolean
  | null
  | undefined
  | Uint8Array
  | readonly PlainData[]
  | { readonly [key: string]: PlainData }

/** Versioned: `schema` is [kind, version]. */
export interface SavedState {
  readonly schema: readonly [kind: string, version: number]
}

export interface Device<S extends SavedState = SavedState> {
  /** Stable: it is the key in a saved state, e.g. 'pit-8254', 'uart-16550.0'. */
  readonly name: string
  readonly claims: readonly Claim[]
  reset(kind: ResetKind): void
  save(): S
  /** Throws VmmError 'state/mismatch' when the schema is not understood. Sets line levels again without making edges up. */
  load(state: S): void
}
