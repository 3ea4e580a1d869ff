/** The data register's buffer: a block of bytes that the host reads or writes word by word. */
export interface PioBufferState {
  readonly direction: 'none' | 'in' | 'out'
  readonly data: Uint8Array
  readonly position: number
}

export class PioBuffer {
  // volatile state
  private direction: 'none' | 'in' | 'out' = 'none'
  private data: Uint8Array = new Uint8Array()
  private position = 0

  /** `onDrained`: the host has read, or supplied, all of it. */
  constructor(private readonly onDrained: (data: Uint8Array) => void) {}

  get active(): boolean {
    return this.direction !== 'none'
  }

  offer(data: Uint8Array): void {
    this.start('in', data)
  }

  expect(bytes: number): void {
    this.start('out', new Uint8Array(bytes))
  }

  clear(): void {
    this.direction = 'none'
    this.data = new Uint8Array()
    this.position = 0
  }

  read(width: 1 | 2 | 4): number {
    if (this.direction !== 'in') return width === 4 ? 0xffffffff : width === 2 ? 0xffff : 0xff
    let value = 0
    for (let i = 0; i < width; i++) value |= (this.data[this.position + i] ?? 0) << (8 * i)
    this.advance(width)
    return value >>> 0
  }

  write(width: 1 | 2 | 4, value: number): void {
    if (this.direction !== 'out') return
    for (let i = 0; i < width && this.position + i < this.data.length; i++) this.data[this.position + i] = (value >>> (8 * i)) & 0xff
    this.advance(width)
  }

  save(): PioBufferState {
    return { direction: this.direction, data: this.data.slice(), position: this.position }
  }

  load(state: PioBufferState): void {
    this.direction = state.direction
    this.data = state.data.slice()
    this.position = state.position
  }

  private start(direction: 'in' | 'out', data: Uint8Array): void {
    this.direction = direction
    this.data = data
    this.position = 0
  }

  private advance(width: number): void {
    this.position += width
    if (this.position < this.data.length) return
    const data = this.data
    this.clear()
    this.onDrained(data)
  }
}
