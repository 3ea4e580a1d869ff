/** A set of pages of guest RAM. */
export class PageSet {
  private readonly bits: Uint8Array
  private members = 0

  constructor(readonly pages: number) {
    this.bits = new Uint8Array(Math.ceil(pages / 8))
  }

  get size(): number {
    return this.members
  }

  add(page: number): void {
    this.put(page, true)
  }

  delete(page: number): void {
    this.put(page, false)
  }

  private put(page: number, member: boolean): void {
    if (page < 0 || page >= this.pages) return
    const bit = 1 << (page & 7)
    const old = this.bits[page >> 3] ?? 0
    if (((old & bit) !== 0) === member) return
    this.bits[page >> 3] = old ^ bit
    this.members += member ? 1 : -1
  }

  clear(): void {
    this.bits.fill(0)
    this.members = 0
  }

  save(): Uint8Array {
    return this.bits.slice()
  }

  load(bits: Uint8Array): void {
    this.clear()
    for (let page = 0; page < this.pages; page++) if (((bits[page >> 3] ?? 0) & (1 << (page & 7))) !== 0) this.add(page)
  }
}
