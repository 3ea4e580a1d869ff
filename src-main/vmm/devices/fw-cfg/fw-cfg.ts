/**
 * Firmware configuration device: how the board tells a firmware image about itself. Source: QEMU docs/specs/fw_cfg.rst.
 * All items are read-only here; a DMA write answers with the error bit.
 */
import type { GuestMemory } from '../../memory/guest-memory'
import { gpa } from '../../support/branded'
import { BAD_WIDTH, type Claim, type Device, type IoFault, type PioHandler, type ResetKind, type Width } from '../device'
import { expectSchema } from '../saved-state'
import * as reg from './registers'
import type { FwCfgStateV1 } from './state'

const NAME_BYTES = 56
const ENTRY_BYTES = 8 + NAME_BYTES
/** No item is larger. */
const MAX_OFFSET = 0x1000000
/** A hostile length must not make a long loop: what lies behind an item reads as zeros only so far. */
const MAX_PADDING = 0x10000

export class FwCfg implements Device<FwCfgStateV1>, PioHandler {
  readonly name = 'fw-cfg'
  readonly claims: readonly Claim[] = [
    { kind: 'pio', name: 'selector', first: reg.PORT_SELECTOR, last: reg.PORT_DATA, handler: this },
    { kind: 'pio', name: 'dma', first: reg.PORT_DMA, last: reg.PORT_DMA_LAST, handler: this },
  ]

  // glue
  private readonly items = new Map<number, Uint8Array>()
  private readonly files: { readonly name: string; readonly key: number }[] = []

  // volatile state
  private key = 0
  private offset = 0
  private dmaHigh = 0

  constructor(private readonly memory: GuestMemory) {
    this.addItem(reg.KEY_SIGNATURE, new TextEncoder().encode('QEMU'))
    this.addItem(reg.KEY_ID, u32(reg.ID_TRADITIONAL | reg.ID_DMA))
    this.addItem(reg.KEY_FILE_DIRECTORY, this.directory())
  }

  addItem(key: number, bytes: Uint8Array): void {
    this.items.set(key, bytes)
  }

  addFile(name: string, bytes: Uint8Array): void {
    const key = reg.KEY_FIRST_FILE + this.files.length
    this.files.push({ name, key })
    this.items.set(key, bytes)
    this.items.set(reg.KEY_FILE_DIRECTORY, this.directory())
  }

  private directory(): Uint8Array {
    const out = new Uint8Array(4 + this.files.length * ENTRY_BYTES)
    const view = new DataView(out.buffer)
    view.setUint32(0, this.files.length)
    this.files.forEach((file, i) => {
      const at = 4 + i * ENTRY_BYTES
      view.setUint32(at, this.items.get(file.key)?.length ?? 0)
      view.setUint16(at + 4, file.key)
      out.set(new TextEncoder().encode(file.name).subarray(0, NAME_BYTES - 1), at + 8)
    })
    return out
  }

  private select(key: number): void {
    this.key = key & 0xffff
    this.offset = 0
  }

  private nextByte(): number {
    const value = this.items.get(this.key)?.[this.offset] ?? 0
    if (this.offset < MAX_OFFSET) this.offset++
    return value
  }

  pioRead(port: number, width: Width): number | IoFault {
    if (port === reg.PORT_DATA) return width === 1 ? this.nextByte() : BAD_WIDTH
    if (port >= reg.PORT_DMA) {
      let value = 0
      for (let i = 0; i < width; i++) value |= (reg.DMA_SIGNATURE[port - reg.PORT_DMA + i] ?? 0) << (8 * i)
      return value >>> 0
    }
    return width === 4 ? BAD_WIDTH : 0
  }

  pioWrite(port: number, width: Width, value: number): IoFault | undefined {
    if (port === reg.PORT_SELECTOR && width === 2) this.select(value)
    else if (port === reg.PORT_DMA && width === 4) this.dmaHigh = swap(value)
    else if (port === reg.PORT_DMA + 4 && width === 4) {
      const address = this.dmaHigh * 0x100000000 + swap(value)
      this.dmaHigh = 0
      this.transfer(address)
    } else if (port !== reg.PORT_DATA) return BAD_WIDTH
    return undefined
  }

  /** Descriptor: u32 control, u32 length, u64 address, all big-endian; control is cleared when done. */
  private transfer(descriptor: number): void {
    const word = (offset: number): number => swap(this.memory.readU32(gpa(descriptor + offset)))
    const control = word(0)
    const target = word(8) * 0x100000000 + word(12)
    if (control & reg.DMA_SELECT) this.select(control >>> 16)
    const left = Math.max(0, (this.items.get(this.key)?.length ?? 0) - this.offset)
    const length = Math.min(word(4), Math.max(left, MAX_PADDING))
    let result = 0
    if (control & reg.DMA_READ) {
      const data = new Uint8Array(length)
      data.set(this.items.get(this.key)?.subarray(this.offset, this.offset + length) ?? [])
      this.memory.write(gpa(target), data)
      this.offset = Math.min(MAX_OFFSET, this.offset + length)
    } else if (control & reg.DMA_WRITE) result = reg.DMA_ERROR
    else if (control & reg.DMA_SKIP) this.offset = Math.min(MAX_OFFSET, this.offset + length)
    this.memory.writeU32(gpa(descriptor), swap(result))
  }

  reset(_kind: ResetKind): void {
    this.key = 0
    this.offset = 0
    this.dmaHigh = 0
  }

  save(): FwCfgStateV1 {
    return { schema: ['fw-cfg', 1], key: this.key, offset: this.offset, dmaHigh: this.dmaHigh }
  }

  load(state: FwCfgStateV1): void {
    expectSchema(this.name, state, ['fw-cfg', 1])
    this.key = state.key
    this.offset = state.offset
    this.dmaHigh = state.dmaHigh
  }
}

function swap(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24)
}
