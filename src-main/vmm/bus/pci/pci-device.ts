import type { MmioHandler, PioHandler } from '../../devices/device'
import type { MemoryBlock } from '../../memory/guest-memory'
import type { IrqLine } from '../../irq/line'

/** What a device says about itself as a PCI function. PCI Local Bus Specification 3.0, section 6.1. */
export interface PciIdentity {
  readonly vendorId: number
  readonly deviceId: number
  /** Class, subclass, programming interface: 24 bits, as in config offset 09h..0Bh. */
  readonly classCode: number
  readonly revision: number
  readonly subsystemVendorId?: number
  readonly subsystemId?: number
  /** 0: none; 1..4: INTA#..INTD#. */
  readonly interruptPin: 0 | 1 | 2 | 3 | 4
  readonly multifunction?: boolean
}

/** One base address register. `bytes` is a power of two (>= 4 for ports, >= 16 for memory). */
export type PciBar =
  | {
      readonly index: 0 | 1 | 2 | 3 | 4 | 5
      readonly kind: 'pio'
      readonly name: string
      readonly bytes: number
      readonly handler: PioHandler
    }
  | {
      readonly index: 0 | 1 | 2 | 3 | 4 | 5
      readonly kind: 'mmio'
      readonly name: string
      readonly bytes: number
      readonly handler: MmioHandler
    }
  /** Memory that the guest reaches without exits (a frame buffer). */
  | {
      readonly index: 0 | 1 | 2 | 3 | 4 | 5
      readonly kind: 'ram'
      readonly name: string
      readonly block: MemoryBlock
      readonly prefetchable: boolean
    }

/**
 * A device that sits on PCI. For pio BARs the handler gets the port *relative to the BAR*.
 * Config space (identity, command, BARs, ROM, capabilities) is kept by the PciFunction that wraps the device, which also saves it.
 */
export interface PciDevice {
  readonly pciIdentity: PciIdentity
  readonly pciBars: readonly PciBar[]
  /** Expansion ROM. */
  readonly pciRom?: MemoryBlock
  /** Device-specific config registers (40h..FFh); initial bytes and a mask of writable bits per byte. */
  readonly pciConfig?: readonly { readonly offset: number; readonly initial: number; readonly writable: number }[]
  /** Capabilities, chained in this order from 40h on, behind `pciConfig`'s registers if there are any (6.7). */
  readonly pciCapabilities?: readonly PciCapability[]
  /** What a byte of a capability reads as, if not what was written last. `index`: of the capability, `offset`: from its start. */
  pciCapabilityRead?(index: number, offset: number, value: number): number
  /** Called after each write to a capability, with the bytes as they stand now; and on load with `isLoad`. */
  pciCapabilityWritten?(index: number, offset: number, bytes: Uint8Array, isLoad: boolean): void
  /** Called after a device-specific config byte changed, and on load. */
  pciConfigChanged?(offset: number, value: number): void
  /** Called when the command register changes (bit 2: bus master enable). */
  pciCommandChanged?(command: number): void
}

/** An entry of the capabilities list. */
export interface PciCapability {
  /** Capability ID: 05h MSI, 09h vendor-specific, 11h MSI-X. */
  readonly id: number
  /** What follows ID and next pointer: initial bytes, and which bits of them the guest can write (none, if not said). */
  readonly body: readonly number[]
  readonly writable?: readonly number[]
}

/** The INTx line a PCI function drives; the host bridge swizzles it to PIRQA..D. */
export type IntxLine = IrqLine
