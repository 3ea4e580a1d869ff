/**
 * PIIX3 IDE controller, PCI function 8086:7010: two channels at their legacy addresses (1F0h/3F6h IRQ 14, 170h/376h IRQ 15), bus master in BAR 4.
 * Intel 82371SB (290550), section 2.6 and 2.7.
 */
import type { PciBar, PciDevice, PciIdentity } from '../../bus/pci/pci-device'
import type { IrqLine } from '../../irq/line'
import type { GuestMemory } from '../../memory/guest-memory'
import type { Claim, Device, IoFault, PioHandler, ResetKind, SavedState, Width } from '../device'
import { expectSchema } from '../saved-state'
import { Channel, type ChannelState } from './channel'

export interface IdeState extends SavedState {
  readonly channels: readonly ChannelState[]
}

const COMMAND_BASE = [0x1f0, 0x170] as const
const CONTROL_OFFSET = 0x206

export class IdeController implements Device<IdeState>, PciDevice, PioHandler {
  readonly name: string = 'ide-piix3'
  readonly channels: readonly [Channel, Channel]
  readonly claims: readonly Claim[]
  readonly pciIdentity: PciIdentity = { vendorId: 0x8086, deviceId: 0x7010, classCode: 0x010180, revision: 0, interruptPin: 0 }
  readonly pciBars: readonly PciBar[]
  /** IDETIM: channels decode enabled as firmware leaves it; timing bits are stored only. */
  readonly pciConfig = [
    { offset: 0x40, initial: 0x00, writable: 0xff },
    { offset: 0x41, initial: 0x80, writable: 0xff },
    { offset: 0x42, initial: 0x00, writable: 0xff },
    { offset: 0x43, initial: 0x80, writable: 0xff },
    { offset: 0x44, initial: 0x00, writable: 0xff },
  ] as const

  constructor(memory: GuestMemory, lines: readonly [IrqLine, IrqLine]) {
    this.channels = [new Channel(memory, lines[0], COMMAND_BASE[0]), new Channel(memory, lines[1], COMMAND_BASE[1])]
    this.claims = this.channels.flatMap((channel, i): Claim[] => {
      const base = i === 0 ? COMMAND_BASE[0] : COMMAND_BASE[1]
      const name = i === 0 ? 'primary' : 'secondary'
      return [
        { kind: 'pio', name: `${name} command`, first: base, last: base + 7, handler: channel },
        { kind: 'pio', name: `${name} control`, first: base + CONTROL_OFFSET, last: base + CONTROL_OFFSET, handler: channel },
      ]
    })
    this.pciBars = [{ index: 4, kind: 'pio', name: 'bus master', bytes: 16, handler: this }]
  }

  reset(_kind: ResetKind): void {
    for (const channel of this.channels) channel.reset()
  }

  /** Bus-master ports, relative to BAR 4; any width, byte by byte. */
  pioRead(port: number, width: Width): number | IoFault {
    let value = 0
    for (let i = 0; i < width; i++) {
      const at = (port + i) & 0xf
      value |= this.channels[at < 8 ? 0 : 1].busMaster.readByte(at & 7) << (8 * i)
    }
    return value >>> 0
  }

  pioWrite(port: number, width: Width, value: number): IoFault | undefined {
    for (let i = 0; i < width; i++) {
      const at = (port + i) & 0xf
      this.channels[at < 8 ? 0 : 1].busMaster.writeByte(at & 7, (value >>> (8 * i)) & 0xff)
    }
    return undefined
  }

  save(): IdeState {
    return { schema: ['ide-piix3', 1], channels: this.channels.map((channel) => channel.save()) }
  }

  load(state: IdeState): void {
    expectSchema('ide-piix3', state, ['ide-piix3', 1])
    state.channels.forEach((saved, i) => this.channels[i]?.load(saved))
  }
}
