import type { DynamicRange } from '../claim-conflict'
import type { MmioBus } from '../mmio-bus'
import type { PioBus } from '../pio-bus'
import type { BarWindows } from './bar-windows'
import { CAPABILITY_HEADER_BYTES, placeCapabilities, type PlacedCapability } from './capability-list'
import * as cfg from './config-space'
import type { PciIntx } from './intx'
import type { PciBar, PciDevice } from './pci-device'

export interface PciFunctionBuses {
  readonly pio: PioBus
  readonly mmio: MmioBus
  readonly windows: BarWindows
}

/** The configuration space of one function, around the device that sits there. */
export class PciFunction {
  // volatile state
  private readonly config = new Uint8Array(cfg.CONFIG_BYTES)

  // glue
  private readonly writable = new Uint8Array(cfg.CONFIG_BYTES)
  private readonly capabilities: readonly PlacedCapability[]
  private readonly ranges = new Map<number, { readonly base: number; readonly range: DynamicRange }>()

  constructor(
    readonly name: string,
    readonly slot: number,
    readonly fn: number,
    readonly device: PciDevice,
    private readonly buses: PciFunctionBuses,
    private readonly intx: PciIntx,
  ) {
    const registers = (device.pciConfig ?? []).map(({ offset }) => offset + 1)
    this.capabilities = placeCapabilities(device.pciCapabilities ?? [], Math.max(cfg.CFG_DEVICE_SPECIFIC, ...registers))
    this.fillMasks()
    this.fillInitial()
  }

  private fillMasks(): void {
    const w = this.writable
    put16(w, cfg.CFG_COMMAND, cfg.COMMAND_WRITABLE)
    w[cfg.CFG_CACHE_LINE] = 0xff
    w[cfg.CFG_LATENCY] = 0xf8
    for (const bar of this.device.pciBars) put32(w, cfg.CFG_BAR0 + 4 * bar.index, addressMask(barBytes(bar)))
    const rom = this.device.pciRom
    if (rom !== undefined) put32(w, cfg.CFG_ROM, addressMask(romBytes(rom.bytes)) | cfg.ROM_ENABLE)
    w[cfg.CFG_INTERRUPT_LINE] = 0xff
    for (const register of this.device.pciConfig ?? []) w[register.offset] = register.writable
    for (const { at, capability } of this.capabilities) w.set(capability.writable ?? [], at + CAPABILITY_HEADER_BYTES)
  }

  private fillInitial(): void {
    const c = this.config
    const id = this.device.pciIdentity
    c.fill(0)
    put16(c, cfg.CFG_VENDOR_ID, id.vendorId)
    put16(c, cfg.CFG_DEVICE_ID, id.deviceId)
    put16(c, cfg.CFG_STATUS, cfg.STATUS_INITIAL)
    c[cfg.CFG_REVISION] = id.revision
    put16(c, cfg.CFG_CLASS, id.classCode & 0xffff)
    c[cfg.CFG_CLASS + 2] = id.classCode >> 16
    if (id.multifunction === true) c[cfg.CFG_HEADER_TYPE] = cfg.HEADER_MULTIFUNCTION
    for (const bar of this.device.pciBars) {
      if (bar.kind === 'pio') c[cfg.CFG_BAR0 + 4 * bar.index] = cfg.BAR_IO
      else if (bar.kind === 'ram' && bar.prefetchable) c[cfg.CFG_BAR0 + 4 * bar.index] = cfg.BAR_PREFETCHABLE
    }
    put16(c, cfg.CFG_SUBSYSTEM_VENDOR, id.subsystemVendorId ?? 0)
    put16(c, cfg.CFG_SUBSYSTEM_ID, id.subsystemId ?? 0)
    c[cfg.CFG_INTERRUPT_PIN] = id.interruptPin
    for (const register of this.device.pciConfig ?? []) c[register.offset] = register.initial
    if (this.capabilities.length === 0) return
    put16(c, cfg.CFG_STATUS, cfg.STATUS_INITIAL | cfg.STATUS_CAPABILITIES)
    c[cfg.CFG_CAPABILITIES] = this.capabilities[0]?.at ?? 0
    for (const { at, next, capability } of this.capabilities) c.set([capability.id, next, ...capability.body], at)
  }

  // ---- access ------------------------------------------------------------------------------------------------------------------------

  readByte(offset: number): number {
    const value = this.config[offset] ?? 0xff
    if (offset >= cfg.CFG_DEVICE_SPECIFIC && this.device.pciCapabilityRead) {
      const found = this.capabilityAt(offset)
      if (found) return this.device.pciCapabilityRead(found.index, offset - found.at, value)
    }
    return offset === cfg.CFG_STATUS && this.intx.level ? value | cfg.STATUS_INTERRUPT : value
  }

  private capabilityAt(offset: number): PlacedCapability | undefined {
    return this.capabilities.find(({ at, bytes }) => offset >= at && offset < at + bytes)
  }

  private capabilityWritten(found: PlacedCapability, offset: number, isLoad: boolean): void {
    this.device.pciCapabilityWritten?.(found.index, offset - found.at, this.config.subarray(found.at, found.at + found.bytes), isLoad)
  }

  /** Writes the bytes of one access; the effects come after all of them. */
  write(offset: number, bytes: readonly number[]): void {
    let windows = false
    let command = false
    const changed: number[] = []
    bytes.forEach((byte, i) => {
      const at = offset + i
      const mask = this.writable[at] ?? 0
      const old = this.config[at] ?? 0
      const value = (old & ~mask) | (byte & mask)
      this.config[at] = value
      if (value === old) return
      if (at === cfg.CFG_COMMAND || at === cfg.CFG_COMMAND + 1) command = true
      else if ((at >= cfg.CFG_BAR0 && at < cfg.CFG_BAR0 + 24) || (at >= cfg.CFG_ROM && at < cfg.CFG_ROM + 4)) windows = true
      else if (at >= cfg.CFG_DEVICE_SPECIFIC) changed.push(at)
    })
    if (windows || command) this.updateWindows()
    if (command) this.commandChanged()
    for (const at of changed) this.device.pciConfigChanged?.(at, this.config[at] ?? 0)
    const capability = offset >= cfg.CFG_DEVICE_SPECIFIC ? this.capabilityAt(offset) : undefined
    if (capability) this.capabilityWritten(capability, offset, false)
  }

  get command(): number {
    return get16(this.config, cfg.CFG_COMMAND)
  }

  /** Address in a BAR, as the guest programmed it. */
  barAddress(index: number): number {
    const raw = get32(this.config, cfg.CFG_BAR0 + 4 * index)
    return (raw & (raw & cfg.BAR_IO ? ~3 : ~15)) >>> 0
  }

  private commandChanged(): void {
    this.intx.setDisabled((this.command & cfg.COMMAND_INTX_DISABLE) !== 0)
    this.device.pciCommandChanged?.(this.command)
  }

  // ---- windows -------------------------------------------------------------------------------------------------------------------------

  private updateWindows(): void {
    for (const bar of this.device.pciBars) this.updateBar(bar)
    const rom = this.device.pciRom
    if (rom === undefined) return
    const raw = get32(this.config, cfg.CFG_ROM)
    const base = (raw & ~0x7ff) >>> 0
    const on = (this.command & cfg.COMMAND_MEMORY) !== 0 && (raw & cfg.ROM_ENABLE) !== 0 && memoryFits(base, rom.bytes)
    this.buses.windows.set(`${this.name}/rom`, on ? { address: base, block: rom, bytes: rom.bytes } : undefined)
  }

  private updateBar(bar: PciBar): void {
    const bytes = barBytes(bar)
    const base = this.barAddress(bar.index)
    const enable = bar.kind === 'pio' ? cfg.COMMAND_IO : cfg.COMMAND_MEMORY
    // Sizing writes all ones: an address that reaches the end of the space maps nothing, nor does zero.
    const fits = bar.kind === 'pio' ? base !== 0 && base + bytes - 1 < 0x10000 : memoryFits(base, bytes)
    const on = (this.command & enable) !== 0 && fits
    const owner = `${this.name}/${bar.name}`
    if (bar.kind === 'ram') {
      this.buses.windows.set(owner, on ? { address: base, block: bar.block, bytes: bar.block.bytes } : undefined)
      return
    }
    const old = this.ranges.get(bar.index)
    if (on && old?.base === base) return
    old?.range.remove()
    this.ranges.delete(bar.index)
    if (!on) return
    const range =
      bar.kind === 'pio'
        ? this.buses.pio.mapDynamic(owner, base, bytes, bar.handler)
        : this.buses.mmio.mapDynamic(owner, base, bytes, bar.handler)
    this.ranges.set(bar.index, { base, range })
  }

  // ---- state ---------------------------------------------------------------------------------------------------------------------------

  private applyAll(): void {
    this.updateWindows()
    this.commandChanged()
    for (const register of this.device.pciConfig ?? []) this.device.pciConfigChanged?.(register.offset, this.config[register.offset] ?? 0)
    for (const placed of this.capabilities) this.capabilityWritten(placed, placed.at, true)
  }

  reset(): void {
    const headerType = this.config[cfg.CFG_HEADER_TYPE] ?? 0
    this.fillInitial()
    this.config[cfg.CFG_HEADER_TYPE] = headerType
    this.applyAll()
  }

  /** Function 0 of a slot tells that there are others. */
  markMultifunction(): void {
    this.config[cfg.CFG_HEADER_TYPE] = cfg.HEADER_MULTIFUNCTION
  }

  saveConfig(): Uint8Array {
    return this.config.slice()
  }

  loadConfig(config: Uint8Array): void {
    this.config.set(config.subarray(0, cfg.CONFIG_BYTES))
    this.applyAll()
  }
}

function barBytes(bar: PciBar): number {
  return bar.kind === 'ram' ? bar.block.bytes : bar.bytes
}

/** A ROM BAR covers a power of two, 2 KiB at least. */
function romBytes(bytes: number): number {
  return 2 ** Math.max(11, Math.ceil(Math.log2(bytes)))
}

function addressMask(bytes: number): number {
  return (0x100000000 - bytes) >>> 0
}

function memoryFits(base: number, bytes: number): boolean {
  return base !== 0 && base % 0x10 === 0 && base + bytes - 1 < 0xffffffff
}

function put16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value & 0xff
  bytes[offset + 1] = (value >> 8) & 0xff
}

function put32(bytes: Uint8Array, offset: number, value: number): void {
  put16(bytes, offset, value & 0xffff)
  put16(bytes, offset + 2, value >>> 16)
}

function get16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8)
}

function get32(bytes: Uint8Array, offset: number): number {
  return (get16(bytes, offset) | (get16(bytes, offset + 2) << 16)) >>> 0
}
