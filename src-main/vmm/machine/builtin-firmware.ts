/** The built-in BIOS on a board: what it sees of the machine, and the moment at which it hands over to an image that boots directly. */
import type { PioBus } from '../bus/pio-bus'
import type { Vcpu } from '../cpu/vcpu'
import { Bios } from '../firmware/bios/bios'
import { checkDirectBoot, loadDirectBoot } from '../firmware/direct-boot'
import { memoryMap } from '../firmware/memory-map'
import type { BlockBackend } from '../backends/block/block-backend'
import type { GuestMemory } from '../memory/guest-memory'
import { gpa } from '../support/branded'
import type { Clock } from '../time/clock'
import { BlockBiosDisk } from './block-disks'
import { enterImage, findRsdp } from './boot-entry'
import type { OpenDisk } from './boards/drive-bay'
import type { MachineConfig } from './config'
import { loadFonts } from './fonts'
import type { MachineGate } from './host-gate'
import type { MachineIo } from './machine-io'
import type { BootImage } from './open-files'

export interface BuiltinFirmwareParts {
  readonly config: MachineConfig
  readonly image: BootImage | undefined
  readonly drives: readonly OpenDisk[]
  readonly memory: GuestMemory
  readonly vcpu: Vcpu
  readonly pio: PioBus
  readonly io: MachineIo
  readonly clock: Clock
  readonly gate: MachineGate
  /** What is in the drive at that position now. */
  readonly medium: (position: number) => BlockBackend | undefined
  /** The running slice ends at the next instruction. */
  readonly leaveSlice: () => void
}

export class BuiltinFirmware {
  readonly bios: Bios
  private handOver = false
  private menuWanted: boolean

  /** Throws a VmmError when the image cannot be booted: that is said now, not when the firmware comes to boot it. */
  constructor(private readonly parts: BuiltinFirmwareParts) {
    const { config, image, drives, memory, vcpu, pio, io, clock, gate, medium, leaveSlice } = parts
    this.menuWanted = config.bootMenu !== false
    if (image) checkDirectBoot({ ...image, memory, memoryMap: memoryMap(memory), rsdp: 0 })
    const directBoot = (): void => {
      this.handOver = true
      leaveSlice()
    }
    this.bios = new Bios({
      memory,
      io: {
        pioRead: (port, width) => pio.read(port, width),
        pioWrite: (port, width, value) => pio.write(port, width, value),
        memoryRead: (address, width) => io.mmioRead(gpa(address), width),
        memoryWrite: (address, width, value) => io.mmioWrite(gpa(address), width, value),
      },
      now: () => clock.now(),
      instruction: () => vcpu.retired,
      fonts: loadFonts(),
      disks: drives.map(({ kind }, position) => new BlockBiosDisk(kind, kind === 'disk' ? 'Vitrine hard disk' : 'Vitrine CD-ROM', () => medium(position), gate)),
      bootOrder: config.boot,
      showMenu: () => this.takeMenuWish(),
      cpus: config.cpus,
      // A service that waits for the disk gives the host its turn. Under InstructionClock the wait is a number of instructions.
      ...(config.clock === 'host' ? { onPoll: leaveSlice } : {}),
      ...(image ? { directBoot, menuDelayMilliseconds: 0 } : {}),
    })
  }

  private takeMenuWish(): boolean {
    const wanted = this.menuWanted
    this.menuWanted = this.parts.config.bootMenu === true
    return wanted
  }

  /** Between slices: loads and enters the image once the BIOS has asked for it. */
  enterWhenAsked(): void {
    const { image, memory, vcpu } = this.parts
    if (!this.handOver || !image) return
    this.handOver = false
    enterImage(vcpu, memory, loadDirectBoot({ ...image, memory, memoryMap: memoryMap(memory), rsdp: findRsdp(memory) }))
  }
}
