/** What the built-in BIOS needs from the machine around it. */
import type { Width } from '../../bus/width'
import type { GuestMemory } from '../../memory/guest-memory'
import type { VmTime } from '../../support/branded'
import type { BiosFonts } from './rom'

/** Ports and physical memory as a program on the vCPU would see them (memoryRead/Write: RAM, ROM, frame buffers and MMIO alike). */
export interface BiosIo {
  pioRead(port: number, width: Width): number
  pioWrite(port: number, width: Width, value: number): void
  memoryRead(address: number, width: Width): number
  memoryWrite(address: number, width: Width, value: number): void
}

export interface BiosDiskRequest {
  /** 'pending' until the machine has delivered the completion; changes only between guest instructions. */
  readonly state: 'pending' | 'done' | 'failed'
}

export interface BiosDisk {
  readonly kind: 'disk' | 'cdrom'
  /** As shown in the boot menu. */
  readonly model: string
  readonly sectorBytes: 512 | 2048
  /** 0: no medium. May change when media do. */
  readonly sectors: number
  readonly readOnly: boolean
  /** Reads consecutive sectors into the pieces, in order; their lengths add up to whole sectors. The pieces may be views of guest RAM. */
  read(lba: number, target: readonly Uint8Array[]): BiosDiskRequest
  write(lba: number, source: readonly Uint8Array[]): BiosDiskRequest
  /** Waits until what was written is on stable storage. */
  flush?(): BiosDiskRequest
}

export type BootDevice = 'disk' | 'cdrom'

export interface BiosOptions {
  readonly memory: GuestMemory
  readonly io: BiosIo
  readonly now: () => VmTime
  /** Number of the instruction that is running: a string instruction on the call port gets one call, not thousands. */
  readonly instruction?: () => number
  readonly fonts: BiosFonts
  /** In the order of their drive numbers: disks 80h, 81h ..., CDs E0h, E1h ... */
  readonly disks: readonly BiosDisk[]
  readonly bootOrder: readonly BootDevice[]
  /** Show the boot menu without F12 or Esc: always, or when asked after a power-on or reset. */
  readonly showMenu?: boolean | (() => boolean)
  /** How long F12 or Esc may be pressed at sign-on. Default 400. */
  readonly menuDelayMilliseconds?: number
  /** Called after power-on instead of booting: something else (direct boot) takes the vCPU over. */
  readonly directBoot?: () => void
  /**
   * Called each time a service is asked again while the host still works on its request. A machine that follows host time should end its
   * slice here, so that the completion is seen at once instead of after a slice of polling.
   */
  readonly onPoll?: () => void
  readonly cpus: number
  /** I/O ports of the serial ports that the board has, COM1 first. Default 3F8h, 2F8h, 3E8h, 2E8h. */
  readonly serialPorts?: readonly number[]
  /** For SMBIOS: of the VM. */
  readonly uuid?: Uint8Array
  /** Told when a port is called for something that this BIOS does not do: for the log and statistics. */
  readonly unsupported?: (what: string) => void
}

/** What a service yields while it cannot go on: 'poll' comes back at once, 'halt' after the next interrupt. */
export type BiosWait = 'poll' | 'halt'
export type BiosTask<T = void> = Generator<BiosWait, T, void>
