/** KVM's end of interrupt without an access: bit 0 of a byte in the guest's memory. */
import type { EoiShortcut } from '../../devices/lapic/eoi-shortcut'
import type { GuestMemory } from '../../memory/guest-memory'
import { addressIn, isEnabled } from './record'
import type { KvmState } from './state'

const FLAG = 1
const ALIGNMENT = 4

export class PvEoi implements EoiShortcut {
  /** Interrupts that were delivered with the flag set, ended by it, and those for which it had to be taken back. */
  offered = 0
  ended = 0
  withdrawn = 0

  constructor(
    private readonly memory: GuestMemory,
    private readonly state: KvmState,
  ) {}

  offer(): void {
    if (!isEnabled(this.state.pvEoi)) return
    this.set(true)
    this.offered++
  }

  taken(): boolean {
    const { state, memory } = this
    if (!state.eoiOffered || (memory.readU8(addressIn(state.pvEoi, ALIGNMENT)) & FLAG) !== 0) return false
    state.eoiOffered = false
    this.ended++
    return true
  }

  withdraw(): void {
    if (!this.state.eoiOffered) return
    this.set(false)
    this.withdrawn++
  }

  private set(offered: boolean): void {
    const address = addressIn(this.state.pvEoi, ALIGNMENT)
    this.state.eoiOffered = offered
    const byte = this.memory.readU8(address)
    this.memory.writeU8(address, offered ? byte | FLAG : byte & ~FLAG)
  }
}
