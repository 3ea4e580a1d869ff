/** What the run loop and the front ends need of a board, whatever it is made of. */
import type { MmioBus } from '../../bus/mmio-bus'
import type { PciFunction } from '../../bus/pci/pci-function'
import type { PioBus } from '../../bus/pio-bus'
import type { ControllerView } from '../../devices/controller-view'
import type { Device, ResetKind } from '../../devices/device'
import type { MemoryBlock } from '../../memory/guest-memory'
import type { MappedRange } from '../../memory/guest-memory-impl'
import type { DisplayBackend } from '../../backends/display/display-backend'
import type { Frame } from '../../backends/display/frame'
import type { KeyEvent } from '../key-typist'
import type { ProcessorBus } from '../machine-io'
import type { DriveFigures } from '../metered-drive'

export interface Board {
  /** What the vCPU's accesses and interrupts go through. */
  readonly processorBus: ProcessorBus
  readonly pio: PioBus
  readonly mmio: MmioBus
  /** Every device, in the order in which they are reset. */
  readonly allDevices: readonly Device[]
  /** The same devices in the order in which saved states are put back. */
  readonly loadOrder: readonly Device[]
  /** A device that not every such board has. Before the first reset. */
  add(device: Device): void
  /** Every block of memory that a saved machine must hold. */
  readonly blocks: readonly MemoryBlock[]
  reset(kind: ResetKind): void
  pressPowerButton(): void
  key(event: KeyEvent): void
  mouse(dx: number, dy: number, dz: number, buttons: number): void
  connectDisplay(display: DisplayBackend | undefined): void
  /** Hands what changed on the screen to the display. */
  refreshDisplay(): void
  /** The whole picture; valid until the next call. */
  screenshot(): Frame
  /** Characters on the screen in a text mode; [] in graphics modes. */
  screenText(): readonly string[]
  /** Puts a disc into the drive (undefined: takes it out), whatever the guest thinks of it. */
  changeCdrom(drive: number, path: string | undefined): Promise<void>
  /** Whether the guest keeps the disc in the drive (PREVENT MEDIUM REMOVAL). If so, it is told that the eject button was pressed. */
  isCdromLocked(drive: number): boolean
  /** Traffic of each drive, in the order in which the configuration has them. */
  driveFigures(): readonly DriveFigures[]
  /** Guest RAM that has been written to since power-on, and all of it. */
  memoryUse(): { readonly touchedBytes: number; readonly bytes: number }
  /** Pages of RAM that a saved machine has filled. */
  markTouched(offset: number, bytes: number): void
  /** For the inspector: interrupt controllers, PCI functions, memory as it is mapped. */
  controllers(): readonly ControllerView[]
  pciFunctions(): readonly PciFunction[]
  memoryRanges(): readonly MappedRange[]
  /** Flushes and closes what the board opened. */
  close(): Promise<void>
}
