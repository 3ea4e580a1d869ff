/** A device-specific configuration space that is kept as bytes, little-endian. OASIS VIRTIO 1.2, 2.5. */
import type { Width } from '../device'

export class ConfigSpace {
  readonly bytes: Uint8Array
  private readonly view: DataView

  constructor(bytes: number) {
    this.bytes = new Uint8Array(bytes)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Inside the space: the transport sees to that. */
  read(offset: number, width: Width): number {
    return width === 1 ? this.view.getUint8(offset) : width === 2 ? this.view.getUint16(offset, true) : this.view.getUint32(offset, true)
  }

  set8(offset: number, value: number): void {
    this.view.setUint8(offset, value)
  }

  set16(offset: number, value: number): void {
    this.view.setUint16(offset, value, true)
  }

  set32(offset: number, value: number): void {
    this.view.setUint32(offset, value, true)
  }

  /** An exact number. */
  set64(offset: number, value: number): void {
    this.view.setBigUint64(offset, BigInt(value), true)
  }
}
