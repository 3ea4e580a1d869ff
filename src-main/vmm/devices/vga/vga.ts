/**
 * Standard VGA with the Bochs VBE extension, as a PCI function: what QEMU calls `-vga std`.
 * Sources: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem"; QEMU docs/specs/standard-vga (PCI IDs, BARs);
 * Bochs vbe_display_api.txt (dispi.ts).
 */
import { VmmError } from '../../errors/vmm-error'
import { BAD_WIDTH, NO_REGISTER } from '../device'
import { expectSchema } from '../saved-state'
import { Dac } from './dac'
import { Dispi } from './dispi'
import { beamAt, vgaGeometry } from './geometry'
import * as R from './registers'
import { VgaPciRegisters } from './pci-registers'
import { VgaWindow } from './window'
import { VgaRenderer } from './render/renderer'
import { textScreen } from './render/text-screen'
import type { DisplayBackend } from '../../backends/display/display-backend'
import type { Frame } from '../../backends/display/frame'
import type { PciBar, PciDevice, PciIdentity } from '../../bus/pci/pci-device'
import type { MemoryBlock } from '../../memory/guest-memory'
import type { Clock } from '../../time/clock'
import type { Claim, Device, IoFault, PioHandler, ResetKind, Width } from '../device'
import type { VgaRegisters } from './registers'
import type { VgaStateV1 } from './state'

export interface VgaWiring {
  readonly clock: Clock
  /** Video memory: 4 KiB-aligned, a power of two and at least 256 KiB; the block that BAR 0 maps, and a view of its bytes. */
  readonly vramBlock: MemoryBlock
  readonly vram: Uint8Array
  /** Pages of the block written past the window since the last call: PhysicalMap.takeDirty. */
  readonly takeDirty: () => Uint8Array
}

const PORT_DISPI_INDEX = 0x1ce
const PORT_DISPI_DATA = 0x1cf

export class Vga implements Device<VgaStateV1>, PciDevice, PioHandler {
  readonly name = 'vga'
  readonly claims: readonly Claim[]
  readonly pciIdentity: PciIdentity = {
    vendorId: 0x1234,
    deviceId: 0x1111,
    classCode: 0x030000,
    revision: 2,
    subsystemVendorId: 0x1af4,
    subsystemId: 0x1100,
    interruptPin: 0,
  }
  readonly pciBars: readonly PciBar[]

  private readonly regs: VgaRegisters = R.createRegisters()
  private readonly dac = new Dac()
  private readonly dispi: Dispi
  private readonly window: VgaWindow
  private readonly renderer: VgaRenderer
  private seqIndex = 0
  private gcIndex = 0
  private crtcIndex = 0
  private attrData = false
  private feature = 0

  constructor(private readonly wiring: VgaWiring) {
    const { vram, vramBlock } = wiring
    if (vram.length < 0x40000 || (vram.length & (vram.length - 1)) !== 0 || vram.length !== vramBlock.bytes) {
      throw new VmmError('internal/bug', `VGA: video memory of ${vram.length} bytes (block of ${vramBlock.bytes}) is not a power of two from 256 KiB up`)
    }
    this.dispi = new Dispi(vram, (modeSet) => this.dispiChanged(modeSet))
    this.window = new VgaWindow(this.regs, this.dispi, vram)
    this.renderer = new VgaRenderer({ ...wiring, regs: this.regs, dac: this.dac, dispi: this.dispi, window: this.window })
    const video = { name: 'vga', handler: this, kind: 'pio', split: 'bytes' } as const
    this.claims = [
      { ...video, name: 'crtc-mono', first: 0x3b4, last: 0x3b5 },
      { ...video, name: 'status-mono', first: 0x3ba, last: 0x3ba },
      { ...video, name: 'vga', first: 0x3c0, last: 0x3cf },
      { ...video, name: 'crtc', first: 0x3d4, last: 0x3d5 },
      { ...video, name: 'status', first: 0x3da, last: 0x3da },
      { kind: 'pio', name: 'dispi', first: PORT_DISPI_INDEX, last: 0x1d1, handler: { pioRead: this.dispiRead, pioWrite: this.dispiWrite } },
      { kind: 'mmio', name: 'window', first: 0xa0000, last: 0xbffff, handler: this.window },
    ]
    this.pciBars = [
      { index: 0, kind: 'ram', name: 'frame buffer', block: vramBlock, prefetchable: true },
      { index: 2, kind: 'mmio', name: 'registers', bytes: 0x1000, handler: new VgaPciRegisters(this, this.dispi) },
    ]
    this.reset('power-on')
  }

  reset(_kind: ResetKind): void {
    R.resetRegisters(this.regs)
    this.dac.reset()
    this.dispi.reset()
    this.window.latch = 0
    this.seqIndex = 0
    this.gcIndex = 0
    this.crtcIndex = 0
    this.attrData = false
    this.feature = 0
    this.registersChanged()
  }

  /** Where the picture goes from now on; it gets all of it at the next refresh. */
  connectDisplay(display: DisplayBackend | undefined): void {
    this.renderer.connect(display)
  }

  /** Renders what changed since the last call and hands it to the display. The machine calls this some 60 times a second. */
  refresh(): void {
    this.renderer.refresh()
  }

  /** The whole picture, now. The frame is the renderer's own: valid until the next call or refresh. */
  screenshot(): Frame {
    return this.renderer.screenshot()
  }

  /** The characters of a text mode, one string for each row; empty in graphics modes. */
  textScreen(): readonly string[] {
    return this.dispi.mode === undefined ? textScreen(this.regs, this.wiring.vram) : []
  }

  pioRead(port: number, width: Width): number | IoFault {
    if (width !== 1) return BAD_WIDTH
    switch (port) {
      case 0x3c0:
        return this.regs.attrIndex
      case 0x3c1:
        return this.regs.attr[this.regs.attrIndex & 0x1f] ?? 0
      case 0x3c2: // input status 0: the switch sense that tells a colour monitor; no vertical interrupt pending
        return 0x10
      case 0x3c4:
        return this.seqIndex
      case 0x3c5:
        return this.regs.seq[this.seqIndex] ?? 0
      case 0x3c6:
        return this.dac.mask
      case 0x3c7:
        return this.dac.accessState
      case 0x3c8:
        return this.dac.index
      case 0x3c9:
        return this.dac.readComponent()
      case 0x3ca:
        return this.feature
      case 0x3cc:
        return this.regs.misc
      case 0x3ce:
        return this.gcIndex
      case 0x3cf:
        return this.regs.gc[this.gcIndex] ?? 0
      default:
        return this.readMonoOrColour(port)
    }
  }

  pioWrite(port: number, width: Width, value: number): IoFault | undefined {
    if (width !== 1) return BAD_WIDTH
    const byte = value & 0xff
    switch (port) {
      case 0x3c0:
        this.writeAttribute(byte)
        return undefined
      case 0x3c1: // read-only on a VGA
        return undefined
      case 0x3c2:
        this.regs.misc = byte & 0xef
        break
      case 0x3c4:
        this.seqIndex = byte & 0x07
        return undefined
      case 0x3c5:
        if (this.seqIndex >= this.regs.seq.length) return undefined
        this.regs.seq[this.seqIndex] = byte & (R.SEQ_MASKS[this.seqIndex] ?? 0)
        // The map mask changes with nearly every planar write and nothing that the renderer sees.
        if (this.seqIndex === R.SEQ_MAP_MASK) return undefined
        break
      case 0x3c6:
        this.dac.mask = byte
        this.renderer.invalidate()
        return undefined
      case 0x3c7:
        this.dac.startRead(byte)
        return undefined
      case 0x3c8:
        this.dac.startWrite(byte)
        return undefined
      case 0x3c9:
        if (this.dac.writeComponent(byte)) this.renderer.invalidate()
        return undefined
      case 0x3ce:
        this.gcIndex = byte & 0x0f
        return undefined
      case 0x3cf:
        if (this.gcIndex >= this.regs.gc.length) return undefined
        this.regs.gc[this.gcIndex] = byte & (R.GC_MASKS[this.gcIndex] ?? 0)
        this.window.registersChanged()
        if (this.gcIndex === R.GC_MODE || this.gcIndex === R.GC_MISC) this.renderer.invalidate()
        return undefined
      case 0x3c3: // motherboard sleep, feature control and position registers: not on this adapter
      case 0x3ca:
      case 0x3cb:
      case 0x3cc:
      case 0x3cd:
        return undefined
      default:
        return this.writeMonoOrColour(port, byte)
    }
    this.registersChanged()
    return undefined
  }

  save(): VgaStateV1 {
    const { regs } = this
    return {
      schema: ['vga', 1],
      seq: regs.seq.slice(),
      seqIndex: this.seqIndex,
      gc: regs.gc.slice(),
      gcIndex: this.gcIndex,
      crtc: regs.crtc.slice(),
      crtcIndex: this.crtcIndex,
      attr: regs.attr.slice(),
      attrIndex: regs.attrIndex,
      attrData: this.attrData,
      misc: regs.misc,
      feature: this.feature,
      latch: this.window.latch,
      dac: this.dac.save(),
      dispi: this.dispi.save(),
    }
  }

  load(state: VgaStateV1): void {
    const { schema, seq, seqIndex, gc, gcIndex, crtc, crtcIndex, attr, attrIndex, attrData, misc, feature, latch, dac, dispi, ...rest } = state
    rest satisfies Record<string, never>
    expectSchema(this.name, { schema }, ['vga', 1])
    const { regs } = this
    copyMasked(regs.seq, seq, R.SEQ_MASKS)
    copyMasked(regs.gc, gc, R.GC_MASKS)
    copyMasked(regs.crtc, crtc, undefined)
    copyMasked(regs.attr, attr, R.ATTR_MASKS)
    regs.attrIndex = attrIndex & 0x3f
    regs.misc = misc & 0xef
    this.seqIndex = seqIndex & 0x07
    this.gcIndex = gcIndex & 0x0f
    this.crtcIndex = crtcIndex & 0x3f
    this.attrData = attrData
    this.feature = feature & 0xff
    this.window.latch = latch >>> 0
    this.dac.load(dac)
    this.dispi.load(dispi)
    this.dac.eightBit = this.dispi.eightBitDac
    this.registersChanged()
  }

  /** 3B4h..3BAh answer for a monochrome adapter, 3D4h..3DAh for a colour one: the same registers, at one of the two places. */
  private isHere(port: number): boolean {
    return (port >= 0x3d0) === ((this.regs.misc & R.MISC_COLOUR_PORTS) !== 0)
  }

  private readMonoOrColour(port: number): number | IoFault {
    if (!this.isHere(port)) return NO_REGISTER
    switch (port & 0x0f) {
      case 4:
        return this.crtcIndex
      case 5:
        return this.regs.crtc[this.crtcIndex] ?? 0
      case 0x0a: {
        this.attrData = false
        const beam = beamAt(this.regs, vgaGeometry(this.regs), this.wiring.clock.now())
        return (beam.displaying ? 0 : 1) | (beam.verticalRetrace ? 8 : 0)
      }
      default:
        return NO_REGISTER
    }
  }

  private writeMonoOrColour(port: number, byte: number): IoFault | undefined {
    if (!this.isHere(port)) return NO_REGISTER
    switch (port & 0x0f) {
      case 4:
        this.crtcIndex = byte & 0x3f
        return undefined
      case 5:
        this.writeCrtc(byte)
        return undefined
      case 0x0a:
        this.feature = byte & 0x0b
        return undefined
      default:
        return NO_REGISTER
    }
  }

  private writeCrtc(byte: number): void {
    const { crtc } = this.regs
    const index = this.crtcIndex
    if (index >= crtc.length) return
    const isProtected = index <= 7 && ((crtc[R.CRTC_VERTICAL_RETRACE_END] ?? 0) & R.CRTC_VERTICAL_RETRACE_END_PROTECT) !== 0
    if (isProtected) {
      if (index !== R.CRTC_OVERFLOW) return
      // Bit 8 of line compare stays writable.
      crtc[index] = ((crtc[index] ?? 0) & ~0x10) | (byte & 0x10)
    } else {
      crtc[index] = byte
    }
    this.renderer.invalidate()
  }

  private writeAttribute(byte: number): void {
    const isData = this.attrData
    this.attrData = !isData
    const { regs } = this
    if (!isData) {
      const wasOn = regs.attrIndex & R.ATTR_INDEX_VIDEO_ON
      regs.attrIndex = byte & 0x3f
      if ((regs.attrIndex & R.ATTR_INDEX_VIDEO_ON) !== wasOn) this.renderer.invalidate()
      return
    }
    const index = regs.attrIndex & 0x1f
    if (index >= regs.attr.length) return
    // The palette can only be written while the display does not use it.
    if (index < 16 && (regs.attrIndex & R.ATTR_INDEX_VIDEO_ON) !== 0) return
    regs.attr[index] = byte & (R.ATTR_MASKS[index] ?? 0)
    this.renderer.invalidate()
  }

  private registersChanged(): void {
    this.window.registersChanged()
    this.renderer.invalidate()
  }

  /** Switching a VBE mode on also opens the window at A0000h; the rest of the VGA's registers stay as they are. */
  private dispiChanged(modeSet: boolean): void {
    const mode = this.dispi.mode
    if (modeSet && mode !== undefined) {
      const { gc, seq } = this.regs
      gc[R.GC_MISC] = ((gc[R.GC_MISC] ?? 0) & ~0x0e) | 0x04 | R.GC_MISC_GRAPHICS
      seq[R.SEQ_MAP_MASK] = 0x0f
      seq[R.SEQ_CLOCKING_MODE] = (seq[R.SEQ_CLOCKING_MODE] ?? 0) & ~R.SEQ_CLOCKING_HALF
      seq[R.SEQ_MEMORY_MODE] = ((seq[R.SEQ_MEMORY_MODE] ?? 0) & ~R.SEQ_MEMORY_CHAIN4) | R.SEQ_MEMORY_SEQUENTIAL
      if (mode.bpp !== 4) seq[R.SEQ_MEMORY_MODE] = (seq[R.SEQ_MEMORY_MODE] ?? 0) | R.SEQ_MEMORY_CHAIN4
    }
    this.dac.eightBit = this.dispi.eightBitDac
    this.registersChanged()
  }

  /** 1CEh: index. Data at 1CFh (as Bochs has it) or 1D0h (aligned). Byte accesses to the data go to its low half only. */
  private readonly dispiRead = (port: number, width: Width): number | IoFault => {
    if (width === 4) return BAD_WIDTH
    const mask = width === 1 ? 0xff : 0xffff
    if (port === PORT_DISPI_INDEX) return this.dispi.readIndex() & mask
    return port === PORT_DISPI_DATA || port === PORT_DISPI_DATA + 1 ? this.dispi.readData() & mask : NO_REGISTER
  }

  private readonly dispiWrite = (port: number, width: Width, value: number): IoFault | undefined => {
    if (width === 4) return BAD_WIDTH
    if (port === PORT_DISPI_INDEX) this.dispi.writeIndex(value)
    else if (port === PORT_DISPI_DATA || port === PORT_DISPI_DATA + 1) this.dispi.writeData(value)
    else return NO_REGISTER
    return undefined
  }
}

function copyMasked(target: Uint8Array, source: Uint8Array, masks: readonly number[] | undefined): void {
  for (let i = 0; i < target.length; i++) target[i] = (source[i] ?? 0) & (masks?.[i] ?? 0xff)
}
