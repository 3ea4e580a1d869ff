/**
 * The soft TLB as part of a saved state. It is not architectural, but when accessed bits are set depends on it: a guest may clear them without a
 * flush. So that a restored machine goes on exactly as one that never stopped, what is cached is saved, in the order in which it was filled.
 */
import { VmmError } from '../errors/vmm-error'
import {
  DIRTY_MAP,
  PHYSMAP,
  PHYSMAP_PAGES,
  PHYS_READ,
  PHYS_WRITE,
  TLB,
  TLB_CONTEXTS,
  TLB_CONTEXT_BYTES,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
  TLB_EXECUTE,
  TLB_TABLE_BYTES,
  TLB_WRITE,
} from './layout'
import { TLB_JOURNAL, TLB_JOURNAL_COUNT, TLB_JOURNAL_ENTRIES } from './layout-system'

/** u32 slot, u32 page number and flags, u64 tag. */
const SAVED_BYTES = 16
const SAVED_PAGE = 4
const SAVED_TAG = 8
const SLOT_ADDEND = 8
const SLOT_PAGE = 12
const PAGE_NUMBER = 0x0fffffff
const PAGE_MASK = 0xfffff000
/** Of a slot that is in the journal without an entry, and of one that is not in it (core/mmu/tlb). */
const TAG_DROPPED = 0xfffffffffffffffen
const TAG_EMPTY = 0xffffffffffffffffn

export function saveTlb(view: DataView, vcpu: number): Uint8Array {
  const count = view.getUint32(vcpu + TLB_JOURNAL_COUNT, true)
  const bytes = new Uint8Array(count * SAVED_BYTES)
  const out = new DataView(bytes.buffer)
  for (let i = 0; i < count; i++) {
    const slot = view.getUint32(vcpu + TLB_JOURNAL + i * 4, true)
    const tag = view.getBigUint64(vcpu + slot, true)
    out.setUint32(i * SAVED_BYTES, slot, true)
    out.setUint32(i * SAVED_BYTES + SAVED_PAGE, tag >= TAG_DROPPED ? 0 : view.getUint32(vcpu + slot + SLOT_PAGE, true), true)
    out.setBigUint64(i * SAVED_BYTES + SAVED_TAG, tag, true)
  }
  return bytes
}

/** After reset_tlb; note_large_pages has to follow. Where the pages lie in host memory follows from the physmap, so a state cannot point outside guest memory. */
export function loadTlb(view: DataView, vcpu: number, saved: Uint8Array): void {
  const count = saved.length / SAVED_BYTES
  if (!Number.isInteger(count) || count > TLB_JOURNAL_ENTRIES) throw damaged()
  const input = new DataView(saved.buffer, saved.byteOffset, saved.length)
  for (let i = 0; i < count; i++) {
    const slot = input.getUint32(i * SAVED_BYTES, true)
    const page = input.getUint32(i * SAVED_BYTES + SAVED_PAGE, true)
    const tag = input.getBigUint64(i * SAVED_BYTES + SAVED_TAG, true)
    if (slot < TLB || slot >= TLB + TLB_CONTEXTS * TLB_CONTEXT_BYTES || slot % TLB_ENTRY_BYTES !== 0) throw damaged()
    view.setUint32(vcpu + TLB_JOURNAL + i * 4, slot, true)
    if (view.getBigUint64(vcpu + slot, true) === TAG_EMPTY) view.setBigUint64(vcpu + slot, TAG_DROPPED, true)
    if (tag < TAG_DROPPED) restoreSlot(view, vcpu, slot, page, tag)
  }
  view.setUint32(vcpu + TLB_JOURNAL_COUNT, count, true)
}

function restoreSlot(view: DataView, vcpu: number, slot: number, page: number, tag: bigint): void {
  const number = page & PAGE_NUMBER
  const low = Number(tag & 0xffffffffn)
  const entry = number < PHYSMAP_PAGES ? view.getUint32(PHYSMAP + number * 4, true) : 0
  const table = (slot - TLB) % TLB_CONTEXT_BYTES
  // An entry answers for the slot's page only: an access across two pages relies on it.
  if (Number((tag >> 12n) & BigInt(TLB_ENTRIES - 1)) !== (table % TLB_TABLE_BYTES) / TLB_ENTRY_BYTES) return
  const isWrite = table >= TLB_WRITE && table < TLB_EXECUTE
  const needed = isWrite ? PHYS_READ | PHYS_WRITE : PHYS_READ
  if ((low & ~PAGE_MASK) !== 0 || (entry & needed) !== needed) return
  const host = (entry & PAGE_MASK) >>> 0
  view.setBigUint64(vcpu + slot, tag, true)
  view.setUint32(vcpu + slot + SLOT_ADDEND, (host - low) >>> 0, true)
  view.setUint32(vcpu + slot + SLOT_PAGE, page, true)
  if (isWrite) view.setUint8(DIRTY_MAP + host / 0x1000, 1)
}

const damaged = (): VmmError => new VmmError('state/wrong-format', 'the saved processor state is damaged: its TLB makes no sense')
