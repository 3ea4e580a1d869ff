/**
 * 440FX PCI and memory controller (82441FX), as far as software depends on it: identity, PAM, SMRAM.
 * Source: Intel 440FX PCIset data sheet (290549), 3.2.18 "PAM", 3.2.24 "SMRAM".
 */

import type { Claim, Device, IoFault, MmioHandler, ResetKind, SavedState } from '../../devices/device'
import { VmmError } from '../../errors/vmm-error'
import type { MemoryBlock, PhysicalMap } from '../../memory/guest-memory'
import { gpa } from '../../support/branded'
import { allOnes } from '../access-counters'
import type { Width } from '../width'
import type { PciDevice, PciIdentity } from './pci-device'

const PAM_FIRST = 0x59
const PAM_COUNT = 7
const SMRAM = 0x72
const VIDEO_FIRST = 0xa0000
const SHADOW_FIRST = 0xc0000
const SHADOW_LAST = 0xfffff
/** Attribute bits of a PAM nibble. */
const PAM_READ = 1
const PAM_WRITE = 2

/** ROM that shows below 1 MiB while its segment is not shadowed. Page aligned. */
export interface ShadowedRom {
  /** Guest-physical address, C0000h..FFFFFh. */
  readonly first: number
  readonly block: MemoryBlock
  /** Where in the block the part that shows starts. */
  readonly offset: number
  readonly bytes: number
}

export interface HostBridgeOptions {
  readonly memory: PhysicalMap & {
    /** Writes host memory of a block, marking it dirty. */
    writeBlock(block: MemoryBlock, offset: number, byte: number): void
  }
  /** The RAM block; its offset is the guest-physical address below 1 MiB. */
  readonly ram: MemoryBlock
  readonly roms: readonly ShadowedRom[]
}

/** [first byte, bytes, register index from 59h, shift of the nibble] */
const SEGMENTS: readonly (readonly [first: number, bytes: number, register: number, shift: number])[] = [
  [0xf0000, 0x10000, 0, 4],
  ...Array.from({ length: 12 }, (_, i) => [0xc0000 + i * 0x4000, 0x4000, 1 + (i >> 1), (i & 1) * 4] as const),
]

export interface HostBridgeStateV1 extends SavedState {
  readonly schema: readonly ['host-bridge', 1]
}

export class HostBridge implements PciDevice, Device<HostBridgeStateV1>, MmioHandler {
  readonly name = 'host-bridge'
  /** Writes that reach a segment which is not writable memory. */
  readonly claims: readonly Claim[] = [{ kind: 'mmio', name: 'shadow', first: SHADOW_FIRST, last: SHADOW_LAST, handler: this }]

  readonly pciIdentity: PciIdentity = {
    vendorId: 0x8086,
    deviceId: 0x1237,
    classCode: 0x060000,
    revision: 2,
    interruptPin: 0,
    subsystemVendorId: 0x1af4,
    subsystemId: 0x1100,
  }
  readonly pciBars: readonly [] = []
  readonly pciConfig: NonNullable<PciDevice['pciConfig']> = [
    { offset: PAM_FIRST, initial: 0, writable: 0x30 },
    ...Array.from({ length: PAM_COUNT - 1 }, (_, i) => ({ offset: PAM_FIRST + 1 + i, initial: 0, writable: 0x33 })),
    { offset: SMRAM, initial: 0x02, writable: 0x78 },
  ]

  // glue
  private readonly readOnlyRam: MemoryBlock

  // state derived from config space, which the PCI bus saves
  private readonly pam = new Uint8Array(PAM_COUNT)

  constructor(private readonly options: HostBridgeOptions) {
    if (options.ram.bytes <= SHADOW_LAST) throw new VmmError('memory/too-much', 'memory: a PC needs at least 1 MiB of RAM')
    // The same memory, seen as ROM: what a write-protected shadow is.
    this.readOnlyRam = { ...options.ram, kind: 'rom' }
    // Accesses to the video window go to PCI; the RAM behind it would be system management memory.
    options.memory.unmap(gpa(VIDEO_FIRST), SHADOW_FIRST - VIDEO_FIRST)
    for (const segment of SEGMENTS) this.route(...segment)
  }

  pciConfigChanged(offset: number, value: number): void {
    const register = offset - PAM_FIRST
    if (register < 0 || register >= PAM_COUNT || this.pam[register] === value) return
    const old = this.pam[register] ?? 0
    this.pam[register] = value
    for (const segment of SEGMENTS) {
      const [, , index, shift] = segment
      if (index === register && ((old ^ value) >> shift) % 16 !== 0) this.route(...segment)
    }
  }

  private attributes(register: number, shift: number): number {
    return ((this.pam[register] ?? 0) >> shift) & (PAM_READ | PAM_WRITE)
  }

  private route(first: number, bytes: number, register: number, shift: number): void {
    const attributes = this.attributes(register, shift)
    const { memory, ram } = this.options
    if ((attributes & PAM_READ) !== 0) {
      memory.map(gpa(first), (attributes & PAM_WRITE) !== 0 ? ram : this.readOnlyRam, first, bytes)
      return
    }
    // Reads go to PCI, where the ROMs are; writes come to mmioWrite.
    for (let at = first; at < first + bytes; at += 0x1000) {
      const rom = this.options.roms.find((candidate) => at >= candidate.first && at < candidate.first + candidate.bytes)
      if (rom === undefined) memory.unmap(gpa(at), 0x1000)
      else memory.map(gpa(at), { ...rom.block, kind: 'rom' }, rom.offset + at - rom.first, 0x1000)
    }
  }

  mmioRead(_offset: number, width: Width): number | IoFault {
    return allOnes(width)
  }

  /** Write-only shadow: firmware copies a ROM onto itself. Writes to what is not write-enabled vanish. */
  mmioWrite(offset: number, width: Width, value: number): IoFault | undefined {
    const { memory, ram } = this.options
    for (let i = 0; i < width; i++) {
      const address = SHADOW_FIRST + offset + i
      const segment = SEGMENTS.find(([first, bytes]) => address >= first && address < first + bytes)
      if (segment === undefined || this.attributes(segment[2], segment[3]) !== PAM_WRITE) continue
      memory.writeBlock(ram, address, (value >>> (8 * i)) & 0xff)
    }
    return undefined
  }

  reset(_kind: ResetKind): void {
    // PAM returns to 0 with the configuration space, which the PCI bus resets.
  }

  save(): HostBridgeStateV1 {
    return { schema: ['host-bridge', 1] }
  }

  load(state: HostBridgeStateV1): void {
    if (state.schema[0] !== 'host-bridge' || state.schema[1] !== 1) {
      throw new VmmError('state/mismatch', `${this.name}: the saved state is version ${String(state.schema[1])}, this VMM reads version 1`)
    }
  }
}
