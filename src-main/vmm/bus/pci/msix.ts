/** MSI-X: a function's table of messages, its pending bits, and its capability. PCI Local Bus Specification 3.0, 6.8.2. */
import { BAD_WIDTH, NO_REGISTER, type IoFault, type MmioHandler, type Width } from '../../devices/device'
import type { MsiTarget } from '../../irq/msi'
import type { PciCapability } from './pci-device'

const CAPABILITY_ID = 0x11
const ENTRY_BYTES = 16
const ENTRY_CONTROL = 3
const ENTRY_MASKED = 1
const CONTROL_ENABLE = 0x8000
const CONTROL_FUNCTION_MASK = 0x4000
/** From the capability's start. */
const CONTROL_OFFSET = 2
/** Pending bits stand in the second half of the BAR. */
const PENDING_OFFSET = 0x800
export const MSIX_BAR_BYTES = 0x1000

export interface MsixState {
  /** Four words an entry: address, address above 4 GiB, data, vector control. */
  readonly table: readonly number[]
  readonly pending: readonly number[]
}

export class Msix implements MmioHandler {
  readonly capability: PciCapability

  // volatile state (what the control word says is the configuration space's)
  private readonly table: Uint32Array
  private readonly pending: Set<number> = new Set<number>()
  private enabled = false
  private functionMasked = false

  /** `vectors`: 1 to 128; `bar`: which one is this handler's. */
  constructor(
    readonly vectors: number,
    bar: number,
    private readonly target: MsiTarget,
  ) {
    this.table = new Uint32Array(vectors * 4)
    const last = vectors - 1
    this.capability = {
      id: CAPABILITY_ID,
      body: [last & 0xff, last >> 8, bar, 0, 0, 0, bar | (PENDING_OFFSET & 0xff), PENDING_OFFSET >> 8, 0, 0],
      writable: [0, (CONTROL_ENABLE | CONTROL_FUNCTION_MASK) >> 8],
    }
    this.reset()
  }

  /** The guest uses it: INTx is silent then. */
  get isEnabled(): boolean {
    return this.enabled
  }

  /** The capability's bytes, after the guest wrote them or a state was loaded. */
  controlWritten(bytes: Uint8Array): void {
    const control = (bytes[CONTROL_OFFSET] ?? 0) | ((bytes[CONTROL_OFFSET + 1] ?? 0) << 8)
    this.enabled = (control & CONTROL_ENABLE) !== 0
    this.functionMasked = (control & CONTROL_FUNCTION_MASK) !== 0
    for (const vector of [...this.pending]) this.deliver(vector)
  }

  /** Sends the vector's message, or keeps it pending while it is masked. */
  raise(vector: number): void {
    if (!this.enabled || vector >= this.vectors) return
    this.pending.add(vector)
    this.deliver(vector)
  }

  private deliver(vector: number): void {
    if (!this.enabled || this.functionMasked || (this.word(vector, ENTRY_CONTROL) & ENTRY_MASKED) !== 0) return
    if (!this.pending.delete(vector) || this.word(vector, 1) !== 0) return
    this.target.send(this.word(vector, 0), this.word(vector, 2))
  }

  private word(vector: number, index: number): number {
    return this.table[vector * 4 + index] ?? 0
  }

  mmioRead(offset: number, width: Width): number | IoFault {
    if (width !== 4 || offset % 4 !== 0) return BAD_WIDTH
    if (offset < this.vectors * ENTRY_BYTES) return this.table[offset / 4] ?? 0
    const first = (offset - PENDING_OFFSET) * 8
    if (first < 0 || first >= this.vectors) return NO_REGISTER
    let bits = 0
    for (const vector of this.pending) if (vector >= first && vector < first + 32) bits |= 1 << (vector - first)
    return bits >>> 0
  }

  mmioWrite(offset: number, width: Width, value: number): IoFault | undefined {
    if (width !== 4 || offset % 4 !== 0) return BAD_WIDTH
    if (offset >= this.vectors * ENTRY_BYTES) return offset < PENDING_OFFSET ? NO_REGISTER : undefined
    const index = offset / 4
    const isControl = index % 4 === ENTRY_CONTROL
    this.table[index] = isControl ? value & ENTRY_MASKED : index % 4 === 0 ? value & ~3 : value
    if (isControl) this.deliver(Math.floor(index / 4))
    return undefined
  }

  /** Every vector masked. */
  reset(): void {
    this.table.fill(0)
    for (let vector = 0; vector < this.vectors; vector++) this.table[vector * 4 + ENTRY_CONTROL] = ENTRY_MASKED
    this.pending.clear()
    this.enabled = false
    this.functionMasked = false
  }

  save(): MsixState {
    return { table: [...this.table], pending: [...this.pending] }
  }

  /** Whether it is enabled comes with the configuration space. */
  load(state: MsixState): void {
    state.table.slice(0, this.table.length).forEach((word, i) => {
      this.table[i] = word
    })
    this.pending.clear()
    for (const vector of state.pending) if (vector < this.vectors) this.pending.add(vector)
  }
}
