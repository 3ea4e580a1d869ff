/** A bounded queue of bytes. What does not fit is refused, so that a guest that never reads cannot make the host allocate. */
export class ByteQueue {
  private bytes: number[] = []

  constructor(readonly capacity: number) {}

  get length(): number {
    return this.bytes.length
  }

  get room(): number {
    return this.capacity - this.bytes.length
  }

  /** All or nothing: half a scan code or mouse packet would put the guest's driver out of step. */
  push(bytes: readonly number[]): boolean {
    if (bytes.length > this.room) return false
    for (const byte of bytes) this.bytes.push(byte & 0xff)
    return true
  }

  shift(): number | undefined {
    return this.bytes.shift()
  }

  clear(): void {
    this.bytes = []
  }

  save(): readonly number[] {
    return [...this.bytes]
  }

  load(bytes: readonly number[]): void {
    this.bytes = bytes.slice(0, this.capacity).map((byte) => byte & 0xff)
  }
}
