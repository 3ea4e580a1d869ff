/** Where a function's capabilities stand in its configuration space. PCI Local Bus Specification 3.0, 6.7. */
import type { PciCapability } from './pci-device'

export interface PlacedCapability {
  readonly index: number
  readonly capability: PciCapability
  /** Of its ID. */
  readonly at: number
  /** Of the capability after it; 0: it is the last. */
  readonly next: number
  readonly bytes: number
}

/** ID and next pointer. */
export const CAPABILITY_HEADER_BYTES = 2

/** Each begins at a multiple of 4, from `first` on. */
export function placeCapabilities(capabilities: readonly PciCapability[], first: number): readonly PlacedCapability[] {
  let at = align(first)
  return capabilities.map((capability, index) => {
    const bytes = CAPABILITY_HEADER_BYTES + capability.body.length
    const placed = { index, capability, at, next: index === capabilities.length - 1 ? 0 : align(at + bytes), bytes }
    at = align(at + bytes)
    return placed
  })
}

function align(n: number): number {
  return Math.ceil(n / 4) * 4
}
