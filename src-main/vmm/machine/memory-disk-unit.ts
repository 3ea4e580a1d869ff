/** A disk in memory belongs to the machine's saved state: there is no file that keeps it. */
import type { MemoryDisk } from '../backends/block/memory-disk'
import type { Device, SavedState } from '../devices/device'
import { expectSchema } from '../devices/saved-state'
import { VmmError } from '../errors/vmm-error'

export interface MemoryDiskState extends SavedState {
  readonly schema: readonly ['memory-disk', 1]
  readonly contents: Uint8Array
}

export class MemoryDiskUnit implements Device<MemoryDiskState> {
  readonly name: string = 'memory-disk'
  readonly claims: readonly [] = []

  constructor(private readonly disk: MemoryDisk) {}

  /** A reset leaves what is written alone. */
  reset(): void {
    return undefined
  }

  save(): MemoryDiskState {
    return { schema: ['memory-disk', 1], contents: this.disk.contents.slice() }
  }

  load(state: MemoryDiskState): void {
    expectSchema(this.name, state, ['memory-disk', 1])
    if (state.contents.length !== this.disk.contents.length) throw new VmmError('state/mismatch', `${this.name}: the saved disk has ${state.contents.length} bytes, this one ${this.disk.contents.length}`)
    this.disk.contents.set(state.contents)
  }
}
