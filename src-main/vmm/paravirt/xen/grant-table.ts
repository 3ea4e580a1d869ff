/**
 * Grant table, version 1: the guest's list of frames that another domain may use. Our back ends are that domain; what they map is looked up once, and pinned
 * by bits in the guest's entry as long as they use it. xen/include/public/grant_table.h.
 */
import type { GuestMemory } from '../../memory/guest-memory'
import { gpa } from '../../support/branded'
import { BACKEND_DOMAIN } from './domains'
import { type GuestFrames, PAGE_BYTES } from './guest-frames'

export const GRANT_FRAMES = 64
const ENTRY_BYTES = 8
const ENTRIES_PER_FRAME = PAGE_BYTES / ENTRY_BYTES
const TYPE_MASK = 3
const PERMIT_ACCESS = 1
const READ_ONLY = 1 << 2
const READING = 1 << 3
const WRITING = 1 << 4

/** GNTST_*. */
export const GRANT_OK = 0
export const GRANT_ERROR = -1
export const GRANT_BAD_DOMAIN = -2
export const GRANT_BAD_REFERENCE = -3
export const GRANT_BAD_COPY = -10
export const GRANT_BAD_ADDRESS = -5
export const GRANT_PERMISSION_DENIED = -8

export interface GrantTableState {
  readonly frames: number
}

export interface Grant {
  /** Guest-physical address of the page. */
  readonly address: number
  readonly readOnly: boolean
}

export class GrantTable {
  private frameCount = 1
  /** Uses of entries by back ends: how many, and how many of them may write. */
  private readonly uses = new Map<number, { readers: number; writers: number }>()

  constructor(
    private readonly frames: GuestFrames,
    private readonly memory: GuestMemory,
    /** First page of GuestFrames that is the table's. */
    private readonly firstPage: number,
  ) {}

  get size(): number {
    return this.frameCount
  }

  /** Makes the table at least so long; false: longer than it may be. */
  grow(frames: number): boolean {
    if (frames > GRANT_FRAMES) return false
    this.frameCount = Math.max(this.frameCount, frames)
    return true
  }

  /** Page of GuestFrames. */
  pageOf(frame: number): number {
    return this.firstPage + frame
  }

  /** An entry that lets `domain` in, or undefined. */
  look(reference: number, domain: number): Grant | undefined {
    if (reference >= this.frameCount * ENTRIES_PER_FRAME) return undefined
    const { page, offset } = this.place(reference)
    const flags = this.frames.readU16(page, offset)
    if ((flags & TYPE_MASK) !== PERMIT_ACCESS || this.frames.readU16(page, offset + 2) !== domain) return undefined
    return { address: this.frames.readU32(page, offset + 4) * PAGE_BYTES, readOnly: (flags & READ_ONLY) !== 0 }
  }

  private place(reference: number): { readonly page: number; readonly offset: number } {
    return { page: this.firstPage + Math.floor(reference / ENTRIES_PER_FRAME), offset: (reference % ENTRIES_PER_FRAME) * ENTRY_BYTES }
  }

  /** For a back end, until unmap(). Guest-physical address of the page; undefined: it may not, or the page is not RAM. */
  map(reference: number, write: boolean): number | undefined {
    const grant = this.look(reference, BACKEND_DOMAIN)
    if (!grant || (write && grant.readOnly) || !this.memory.views(gpa(grant.address), PAGE_BYTES)) return undefined
    const use = this.uses.get(reference) ?? { readers: 0, writers: 0 }
    use.readers++
    if (write) use.writers++
    this.uses.set(reference, use)
    this.pin(reference, READING | (write ? WRITING : 0), 0)
    return grant.address
  }

  unmap(reference: number, write: boolean): void {
    const use = this.uses.get(reference)
    if (!use) return
    use.readers--
    if (write) use.writers--
    this.pin(reference, 0, (use.readers <= 0 ? READING : 0) | (use.writers <= 0 ? WRITING : 0))
    if (use.readers <= 0) this.uses.delete(reference)
  }

  private pin(reference: number, set: number, clear: number): void {
    const { page, offset } = this.place(reference)
    const flags = this.frames.readU16(page, offset)
    const next = (flags | set) & ~clear
    if (next !== flags) this.frames.writeU16(page, offset, next)
  }

  /** Entries that back ends hold, for the inspector. */
  get mapped(): number {
    return this.uses.size
  }

  reset(): void {
    this.frameCount = 1
    this.uses.clear()
  }

  save(): GrantTableState {
    return { frames: this.frameCount }
  }

  /** Back ends map again what they had. */
  load({ frames }: GrantTableState): void {
    this.reset()
    if (Number.isInteger(frames)) this.grow(frames)
  }
}
