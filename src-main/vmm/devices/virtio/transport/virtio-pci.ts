/**
 * A virtio device on PCI, modern only. OASIS VIRTIO 1.2, 4.1. BAR 1: MSI-X table; BAR 4: common configuration, ISR status, device configuration and
 * notifications, a page each. Boards: `pci.attach(name, slot, 0, new VirtioPci(device, { memory, intx: pci.intx(slot, 0, 1), msi }))`.
 */
import { Msix, MSIX_BAR_BYTES, type MsixState } from '../../../bus/pci/msix'
import type { PciBar, PciCapability, PciDevice, PciIdentity } from '../../../bus/pci/pci-device'
import type { IrqLine } from '../../../irq/line'
import type { MsiTarget } from '../../../irq/msi'
import type { GuestMemory } from '../../../memory/guest-memory'
import { BAD_WIDTH, NO_REGISTER, type Claim, type Device, type IoFault, type MmioHandler, type SavedState, type Width } from '../../device'
import { expectSchema } from '../../saved-state'
import type { VirtioDevice } from '../virtio-device'
import { highWord, lowWord, setHalf } from './queue-addresses'
import * as reg from './registers'
import { VirtioCore, type VirtioCoreState } from './virtio-core'

const VENDOR = 0x1af4
const FIRST_DEVICE_ID = 0x1040
const REVISION = 1
const SUBSYSTEM_ID = 0x40
const MSIX_BAR = 1
const VIRTIO_BAR = 4

/** Parts of the BAR: a page each. */
const PAGE = 0x1000
const COMMON = 0
const ISR = 1
const DEVICE = 2
const NOTIFY = 3
const NOTIFY_MULTIPLIER = 4
const COMMON_BYTES = 0x38

/** Types of virtio capabilities (4.1.4). */
const CAP_COMMON = 1
const CAP_NOTIFY = 2
const CAP_ISR = 3
const CAP_DEVICE = 4
const CAP_PCI_CFG = 5
const VENDOR_CAPABILITY = 0x09
const COMMAND_MASTER = 0x0004

/** The capability with a window onto a BAR (4.1.4.9): bar, offset, length, then the data. */
const CFG_BAR = 4
const CFG_OFFSET = 8
const CFG_LENGTH = 12
const CFG_DATA = 16

export interface VirtioPciOptions {
  readonly memory: GuestMemory
  readonly intx: IrqLine
  readonly msi: MsiTarget
}

export interface VirtioPciState extends SavedState {
  readonly schema: readonly ['virtio-pci', 1]
  readonly core: VirtioCoreState
  readonly msix: MsixState
  readonly isr: number
  readonly selects: readonly [device: number, driver: number, queue: number]
  readonly configVector: number
  readonly queueVectors: readonly number[]
}

export class VirtioPci implements Device<VirtioPciState>, PciDevice, MmioHandler {
  readonly name: string
  readonly claims: readonly Claim[] = []
  readonly pciIdentity: PciIdentity
  readonly pciBars: readonly PciBar[]
  readonly pciCapabilities: readonly PciCapability[]
  readonly core: VirtioCore
  private readonly msix: Msix

  // volatile state (with that of core and MSI-X)
  private isr = 0
  private deviceSelect = 0
  private driverSelect = 0
  private queueSelect = 0
  private configVector = reg.NO_VECTOR
  private readonly queueVectors: number[]
  /** Bytes of the configuration window, as the guest left them. */
  private readonly window = new Uint8Array(CFG_DATA + 4)

  constructor(
    device: VirtioDevice,
    private readonly options: VirtioPciOptions,
  ) {
    this.name = device.name
    this.core = new VirtioCore(device, options.memory, { queueInterrupt: (queue) => this.queueInterrupt(queue), configInterrupt: () => this.configInterrupt() })
    this.core.mayAccessMemory = false
    this.queueVectors = device.queueSizes.map(() => reg.NO_VECTOR)
    this.msix = new Msix(device.queueSizes.length + 1, MSIX_BAR, options.msi)
    this.pciIdentity = { vendorId: VENDOR, deviceId: FIRST_DEVICE_ID + device.type, classCode: device.pciClass, revision: REVISION, subsystemVendorId: VENDOR, subsystemId: SUBSYSTEM_ID, interruptPin: 1 }
    this.pciBars = [
      { index: MSIX_BAR, kind: 'mmio', name: 'MSI-X', bytes: MSIX_BAR_BYTES, handler: this.msix },
      { index: VIRTIO_BAR, kind: 'mmio', name: 'virtio', bytes: 4 * PAGE, handler: this },
    ]
    const notifyBytes = device.queueSizes.length * NOTIFY_MULTIPLIER
    this.pciCapabilities = [
      this.msix.capability,
      virtioCapability(CAP_COMMON, COMMON, COMMON_BYTES),
      virtioCapability(CAP_ISR, ISR, 1),
      ...(device.configBytes > 0 ? [virtioCapability(CAP_DEVICE, DEVICE, device.configBytes)] : []),
      virtioCapability(CAP_NOTIFY, NOTIFY, notifyBytes, dword(NOTIFY_MULTIPLIER)),
      windowCapability(),
    ]
  }

  // ---- interrupts ------------------------------------------------------------------------------------------------------------------

  private queueInterrupt(queue: number): void {
    this.raise(reg.ISR_QUEUE, this.queueVectors[queue] ?? reg.NO_VECTOR)
  }

  private configInterrupt(): void {
    this.raise(reg.ISR_CONFIG, this.configVector)
  }

  private raise(cause: number, vector: number): void {
    if (this.msix.isEnabled) {
      if (vector !== reg.NO_VECTOR) this.msix.raise(vector)
      return
    }
    this.isr |= cause
    this.options.intx.setLevel(true)
  }

  // ---- BAR 4 -----------------------------------------------------------------------------------------------------------------------

  mmioRead(offset: number, width: Width): number | IoFault {
    const at = offset % PAGE
    switch (Math.floor(offset / PAGE)) {
      case COMMON:
        return this.readCommon(at, width)
      case ISR:
        return at === 0 ? this.takeIsr() : 0
      case DEVICE:
        return this.core.configRead(at, width)
      default:
        return 0
    }
  }

  mmioWrite(offset: number, width: Width, value: number): IoFault | undefined {
    const at = offset % PAGE
    switch (Math.floor(offset / PAGE)) {
      case COMMON:
        return this.writeCommon(at, width, value)
      case DEVICE:
        return this.core.configWrite(at, width, value)
      case NOTIFY:
        this.core.notify(Math.floor(at / NOTIFY_MULTIPLIER))
        return undefined
      default:
        return undefined
    }
  }

  /** Reading lowers the line (4.1.4.5). */
  private takeIsr(): number {
    const { isr } = this
    this.isr = 0
    this.options.intx.setLevel(false)
    return isr
  }

  /** struct virtio_pci_common_cfg: 4.1.4.3. Fields are read at their own width; the two halves of 64-bit ones are 32 bits each. */
  private readCommon(at: number, width: Width): number | IoFault {
    const { core } = this
    const queue = core.queues[this.queueSelect]
    if (width !== commonWidth(at)) return BAD_WIDTH
    switch (at) {
      case 0x00:
        return this.deviceSelect
      case 0x04:
        return core.offeredWord(this.deviceSelect)
      case 0x08:
        return this.driverSelect
      case 0x0c:
        return core.agreedWord(this.driverSelect)
      case 0x10:
        return this.configVector
      case 0x12:
        return core.queues.length
      case 0x14:
        return core.status
      case 0x15:
        return core.generation
      case 0x16:
        return this.queueSelect
      case 0x18:
        return queue?.wantedSize ?? 0
      case 0x1a:
        return this.queueVectors[this.queueSelect] ?? reg.NO_VECTOR
      case 0x1c:
        return queue?.isEnabled === true ? 1 : 0
      case 0x1e:
        return this.queueSelect
      case 0x20:
        return lowWord(queue?.addresses.descriptors)
      case 0x24:
        return highWord(queue?.addresses.descriptors)
      case 0x28:
        return lowWord(queue?.addresses.available)
      case 0x2c:
        return highWord(queue?.addresses.available)
      case 0x30:
        return lowWord(queue?.addresses.used)
      case 0x34:
        return highWord(queue?.addresses.used)
      default:
        return NO_REGISTER
    }
  }

  private writeCommon(at: number, width: Width, value: number): IoFault | undefined {
    const { core } = this
    if (width !== commonWidth(at)) return BAD_WIDTH
    const queue = core.queues[this.queueSelect]
    switch (at) {
      case 0x00:
        this.deviceSelect = value
        break
      case 0x08:
        this.driverSelect = value
        break
      case 0x0c:
        core.agree(this.driverSelect, value)
        break
      case 0x10:
        this.configVector = this.vector(value)
        break
      case 0x14:
        if (value === 0) this.resetFunction()
        core.writeStatus(value)
        break
      case 0x16:
        this.queueSelect = value
        break
      case 0x18:
        queue?.chooseSize(value)
        break
      case 0x1a:
        if (queue) this.queueVectors[this.queueSelect] = this.vector(value)
        break
      case 0x1c:
        if (value === 1) queue?.enable()
        break
      default:
        if (at < 0x20 || at >= COMMON_BYTES) return NO_REGISTER
        if (queue && !queue.isEnabled) setHalf(queue.addresses, at < 0x28 ? 'descriptors' : at < 0x30 ? 'available' : 'used', at % 8 === 0 ? 'low' : 'high', value)
    }
    return undefined
  }

  /** A vector that there is none of reads back as no vector (4.1.5.1.2). */
  private vector(value: number): number {
    return value < this.msix.vectors ? value : reg.NO_VECTOR
  }

  // ---- configuration space -------------------------------------------------------------------------------------------------------------

  pciCommandChanged(command: number): void {
    this.core.mayAccessMemory = (command & COMMAND_MASTER) !== 0
  }

  pciCapabilityWritten(index: number, offset: number, bytes: Uint8Array, isLoad: boolean): void {
    if (index === 0) {
      this.msix.controlWritten(bytes)
      return
    }
    if (index !== this.pciCapabilities.length - 1) return
    this.window.set(bytes.subarray(0, this.window.length))
    if (isLoad || offset < CFG_DATA) return
    const access = this.windowAccess()
    if (access) this.windowTarget(access.bar)?.mmioWrite(access.offset, access.width, new DataView(this.window.buffer).getUint32(CFG_DATA, true) & access.mask)
  }

  pciCapabilityRead(index: number, offset: number, value: number): number {
    if (index !== this.pciCapabilities.length - 1 || offset < CFG_DATA) return value
    // The first byte of an access carries it out; the others are of the same value.
    if (offset === CFG_DATA) {
      const access = this.windowAccess()
      const read = access && this.windowTarget(access.bar)?.mmioRead(access.offset, access.width)
      new DataView(this.window.buffer).setUint32(CFG_DATA, typeof read === 'number' ? read : 0, true)
    }
    return this.window[offset] ?? 0
  }

  private windowTarget(bar: number): MmioHandler | undefined {
    return bar === VIRTIO_BAR ? this : bar === MSIX_BAR ? this.msix : undefined
  }

  private windowAccess(): { readonly bar: number; readonly offset: number; readonly width: Width; readonly mask: number } | undefined {
    const view = new DataView(this.window.buffer)
    const offset = view.getUint32(CFG_OFFSET, true)
    const width = view.getUint32(CFG_LENGTH, true)
    if ((width !== 1 && width !== 2 && width !== 4) || offset % width !== 0 || offset + width > 4 * PAGE) return undefined
    return { bar: this.window[CFG_BAR] ?? 0, offset, width, mask: width === 4 ? -1 : (1 << (8 * width)) - 1 }
  }

  // ---- state ---------------------------------------------------------------------------------------------------------------------------

  /** What a reset by the driver takes back besides the core's. */
  private resetFunction(): void {
    this.isr = 0
    this.options.intx.setLevel(false)
    this.configVector = reg.NO_VECTOR
    this.queueVectors.fill(reg.NO_VECTOR)
  }

  reset(): void {
    this.resetFunction()
    this.core.reset()
    this.msix.reset()
    this.deviceSelect = 0
    this.driverSelect = 0
    this.queueSelect = 0
    this.window.fill(0)
  }

  save(): VirtioPciState {
    const { core, msix, isr, deviceSelect, driverSelect, queueSelect, configVector, queueVectors } = this
    return { schema: ['virtio-pci', 1], core: core.save(), msix: msix.save(), isr, selects: [deviceSelect, driverSelect, queueSelect], configVector, queueVectors: [...queueVectors] }
  }

  load(state: VirtioPciState): void {
    expectSchema(this.name, state, ['virtio-pci', 1])
    this.msix.load(state.msix)
    this.isr = state.isr
    ;[this.deviceSelect, this.driverSelect, this.queueSelect] = state.selects
    this.configVector = state.configVector
    state.queueVectors.forEach((vector, i) => {
      if (i < this.queueVectors.length) this.queueVectors[i] = vector
    })
    this.core.load(state.core)
    this.options.intx.setLevel(this.isr !== 0)
  }
}

/** struct virtio_pci_cap: 4.1.4. */
function virtioCapability(type: number, page: number, bytes: number, extra: readonly number[] = []): PciCapability {
  return { id: VENDOR_CAPABILITY, body: [16 + extra.length, type, VIRTIO_BAR, 0, 0, 0, ...dword(page * PAGE), ...dword(bytes), ...extra] }
}

/** The guest chooses BAR, offset and length. */
function windowCapability(): PciCapability {
  return {
    id: VENDOR_CAPABILITY,
    body: [20, CAP_PCI_CFG, 0, 0, 0, 0, ...dword(0), ...dword(0), ...dword(0)],
    writable: [0, 0, 0xff, 0, 0, 0, ...new Array<number>(12).fill(0xff)],
  }
}

const dword = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24]

function commonWidth(at: number): Width {
  if (at < 0x10 || at >= 0x20) return 4
  return at === 0x14 || at === 0x15 ? 1 : 2
}
