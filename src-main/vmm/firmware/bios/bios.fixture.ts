/** A machine for tests of the BIOS's host side: plain memory, ports that answer like an empty board, disks in memory. */
import type { Width } from '../../bus/width'
import type { GuestMemory } from '../../memory/guest-memory'
import { vmTime } from '../../support/branded'
import type { Gpa, VmTime } from '../../support/branded'
import { Bios } from './bios'
import type { BiosDisk, BiosDiskRequest, BiosIo, BiosOptions } from './host'
import { BIOS_CALL_PORT } from './rom-source'
import { BiosContext } from './context'

export class FakeMemory implements GuestMemory {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly lowRamBytes: number

  constructor(readonly ramBytes: number, lowRamBytes: number = ramBytes) {
    // Only the part that tests touch is really there.
    this.bytes = new Uint8Array(Math.min(lowRamBytes, 0x1000000))
    this.view = new DataView(this.bytes.buffer)
    this.lowRamBytes = lowRamBytes
  }
  private has(address: number, bytes: number): boolean {
    return address >= 0 && address + bytes <= this.bytes.length
  }
  readU8(address: Gpa): number { return this.has(address, 1) ? this.view.getUint8(address) : 0xff }
  readU16(address: Gpa): number { return this.has(address, 2) ? this.view.getUint16(address, true) : 0xffff }
  readU32(address: Gpa): number { return this.has(address, 4) ? this.view.getUint32(address, true) : 0xffffffff }
  readU64(address: Gpa): bigint { return this.has(address, 8) ? this.view.getBigUint64(address, true) : 0xffffffffffffffffn }
  writeU8(address: Gpa, value: number): void { if (this.has(address, 1)) this.view.setUint8(address, value) }
  writeU16(address: Gpa, value: number): void { if (this.has(address, 2)) this.view.setUint16(address, value, true) }
  writeU32(address: Gpa, value: number): void { if (this.has(address, 4)) this.view.setUint32(address, value, true) }
  writeU64(address: Gpa, value: bigint): void { if (this.has(address, 8)) this.view.setBigUint64(address, value, true) }
  read(address: Gpa, target: Uint8Array): void {
    for (let i = 0; i < target.length; i++) target[i] = this.bytes[address + i] ?? 0xff
  }
  write(address: Gpa, source: Uint8Array): void {
    source.forEach((byte, i) => {
      if (this.has(address + i, 1)) this.bytes[address + i] = byte
    })
  }
  fill(address: Gpa, bytes: number, value: number): void { this.bytes.fill(value, address, address + bytes) }
  discard(address: Gpa, bytes: number): void { this.fill(address, bytes, 0) }
  views(address: Gpa, bytes: number): readonly Uint8Array[] | undefined {
    return this.has(address, bytes) ? [this.bytes.subarray(address, address + bytes)] : undefined
  }
  finishWrite(): void {}
}

/** A disk in memory whose requests finish when the test says so, or at once. */
export class FakeDisk implements BiosDisk {
  readonly sectorBytes: 512 | 2048
  readOnly = false
  isSlow = false
  isBroken = false
  readonly pending: { state: BiosDiskRequest['state'] }[] = []

  constructor(readonly kind: 'disk' | 'cdrom', readonly bytes: Uint8Array, readonly model: string = 'fake') {
    this.sectorBytes = kind === 'disk' ? 512 : 2048
  }
  get sectors(): number {
    return Math.floor(this.bytes.length / this.sectorBytes)
  }
  private request(): BiosDiskRequest {
    const request = { state: this.isBroken ? ('failed' as const) : this.isSlow ? ('pending' as const) : ('done' as const) }
    this.pending.push(request)
    return request
  }
  read(lba: number, target: readonly Uint8Array[]): BiosDiskRequest {
    let at = lba * this.sectorBytes
    for (const piece of target) {
      piece.set(this.bytes.subarray(at, at + piece.length))
      at += piece.length
    }
    return this.request()
  }
  write(lba: number, source: readonly Uint8Array[]): BiosDiskRequest {
    let at = lba * this.sectorBytes
    for (const piece of source) {
      this.bytes.set(piece, at)
      at += piece.length
    }
    return this.request()
  }
  finish(): void {
    for (const request of this.pending) request.state = 'done'
  }
}

/** Registers for a call; what is not named is 0. */
export type Registers = Partial<Record<'eax' | 'ebx' | 'ecx' | 'edx' | 'esi' | 'edi' | 'ebp' | 'ds' | 'es', number>>

const FRAME_SEGMENT = 0x8000
const FRAME_OFFSET = 0x1000

export class BiosBench {
  readonly memory: FakeMemory
  readonly screen: Uint8Array = new Uint8Array(0x20000)
  readonly ports: Map<number, number> = new Map<number, number>()
  readonly written: { readonly port: number; readonly value: number }[] = []
  readonly unsupported: string[] = []
  time: VmTime = vmTime(0)
  readonly bios: Bios
  readonly context: BiosContext

  constructor(options: Partial<BiosOptions> & { readonly ramBytes?: number; readonly io?: BiosIo } = {}) {
    const { ramBytes = 0x1000000, ...rest } = options
    this.memory = new FakeMemory(ramBytes)
    const io: BiosIo = {
      pioRead: (port, width) => this.ports.get(port) ?? 2 ** (8 * width) - 1,
      pioWrite: (port, _width, value) => void this.written.push({ port, value }),
      memoryRead: (address, width) => this.screenAccess(address, width, undefined),
      memoryWrite: (address, width, value) => void this.screenAccess(address, width, value),
    }
    const font = new Uint8Array(256 * 16)
    for (let i = 0; i < font.length; i++) font[i] = i & 0xff
    this.bios = new Bios({
      memory: this.memory,
      io,
      now: () => this.time,
      fonts: { font8x8: font.subarray(0, 2048), font8x14: font.subarray(0, 3584), font8x16: font },
      disks: [],
      bootOrder: ['disk', 'cdrom'],
      cpus: 1,
      unsupported: (what) => void this.unsupported.push(what),
      ...rest,
    })
    this.context = new BiosContext(this.memory, FRAME_SEGMENT * 16 + FRAME_OFFSET)
  }

  private screenAccess(address: number, width: Width, value: number | undefined): number {
    const offset = address - 0xa0000
    let result = 0
    for (let i = 0; i < width; i++) {
      if (value !== undefined && offset + i >= 0) this.screen[offset + i] = (value >>> (8 * i)) & 0xff
      result |= (this.screen[offset + i] ?? 0xff) << (8 * i)
    }
    return result >>> 0
  }

  /** Starts a service with these registers; false: it wants to come back. */
  begin(service: number, registers: Registers = {}): boolean {
    const base = this.context.frame
    this.memory.bytes.fill(0, base, base + 46)
    const fields = { es: 2, ds: 4, edi: 6, esi: 10, ebp: 14, ebx: 22, edx: 26, ecx: 30, eax: 34 } as const
    for (const [name, value] of Object.entries(registers)) {
      const offset = fields[name as keyof typeof fields]
      if (name === 'ds' || name === 'es') this.memory.view.setUint16(base + offset, value, true)
      else this.memory.view.setUint32(base + offset, value >>> 0, true)
    }
    this.memory.view.setUint16(base + 38, service, true)
    return this.again()
  }
  /** As the entry point does while the service waits. */
  again(): boolean {
    this.bios.pioWrite(BIOS_CALL_PORT, 4, ((FRAME_SEGMENT << 16) | FRAME_OFFSET) >>> 0)
    return this.context.progress === 0
  }
  /** Runs a service to its end and gives the registers. */
  call(service: number, registers: Registers = {}): BiosContext {
    let isDone = this.begin(service, registers)
    for (let i = 0; i < 1000 && !isDone; i++) isDone = this.again()
    if (!isDone) throw new Error(`service ${service.toString(16)} does not finish`)
    return this.context
  }
  powerOn(): void {
    this.call(0x100)
  }
  /** Text of a screen row in mode 3. */
  row(n: number): string {
    let text = ''
    for (let column = 0; column < 80; column++) text += String.fromCharCode(this.screen[0x18000 + (n * 80 + column) * 2] ?? 0)
    return text.trimEnd()
  }
  /** Return address on the frame. */
  get target(): string {
    const base = this.context.frame
    const [ip, cs] = [this.memory.view.getUint16(base + 40, true), this.memory.view.getUint16(base + 42, true)]
    return `${cs.toString(16).padStart(4, '0')}:${ip.toString(16).padStart(4, '0')}`
  }
}

/** A bootable CD: El Torito boot record, catalogue with one entry, image at sector 20. */
export function bootableCd(media: number, image: Uint8Array, options: { readonly platform?: number; readonly sectorCount?: number } = {}): Uint8Array {
  const cd = new Uint8Array(Math.max(64, 20 + Math.ceil(image.length / 2048)) * 2048)
  const text = (offset: number, value: string): void => cd.set([...value].map((c) => c.charCodeAt(0)), offset)
  text(17 * 2048 + 1, 'CD001')
  text(17 * 2048 + 7, 'EL TORITO SPECIFICATION')
  const view = new DataView(cd.buffer)
  view.setUint32(17 * 2048 + 0x47, 19, true)
  const catalogue = 19 * 2048
  cd[catalogue] = 1
  cd[catalogue + 1] = options.platform ?? 0
  view.setUint16(catalogue + 30, 0xaa55, true)
  let sum = 0
  for (let i = 0; i < 32; i += 2) sum += view.getUint16(catalogue + i, true)
  view.setUint16(catalogue + 28, -sum & 0xffff, true)
  cd[catalogue + 32] = 0x88
  cd[catalogue + 33] = media
  view.setUint16(catalogue + 38, options.sectorCount ?? 4, true)
  view.setUint32(catalogue + 40, 20, true)
  cd.set(image, 20 * 2048)
  return cd
}
