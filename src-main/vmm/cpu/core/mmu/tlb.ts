/**
 * The soft TLB: filling and flushing. Filled slots are journalled, so that a flush costs what was used, not the size of the tables; entries of
 * global pages survive CR3 writes while CR4.PGE is set (SDM vol. 3A 4.10.4; dropping more than required is always allowed).
 */
import {
  CODE_EPOCH,
  JUMP_CACHE,
  JUMP_CACHE_ENTRIES,
  JUMP_CACHE_ENTRY_BYTES,
  JUMP_RECORDS,
  NEXT_LINES,
  NEXT_REGIONS,
  NEXT_WAYS,
  NEXT_WAY_BYTES,
  PHYS_CODE,
  PHYS_READ,
  PHYS_WRITE,
  REG_DR0,
  TLB,
  TLB_CONTEXTS,
  TLB_CONTEXT_BYTES,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
  TLB_EXECUTE,
  TLB_READ,
  TLB_TABLE_BYTES,
  TLB_WRITE,
  VCPU_BASE,
  VCPU_STRIDE,
} from '../../layout'
import {
  COUNT_TLB_FLUSHES,
  EPOCH_COUNT,
  EPOCH_LOCAL,
  EPOCH_SUPERVISOR,
  EPOCH_USER,
  JUMP_PAGES,
  JUMP_PAGES_BYTES,
  TLB_JOURNAL,
  TLB_JOURNAL_COUNT,
  TLB_JOURNAL_ENTRIES,
  TLB_LARGE,
  TLB_LARGE_BYTES,
  TLB_NO_FILL,
  WALK_DIRTY,
  WALK_FLAGS,
  WALK_GLOBAL,
  WALK_PAGE,
  WALK_SIZE_SHIFT,
  WATCH,
} from '../../layout-system'
import { host_page, mark_dirty, physmap_entry } from './physical'
import { KIND_EXECUTE, KIND_READ, KIND_WRITE } from './walk'

const TLB_END = TLB + TLB_CONTEXTS * TLB_CONTEXT_BYTES
const TAG_EMPTY: u64 = 0xffffffffffffffff
/** As empty, but the slot is in the journal: it must not come to stand there twice. (Tags that are looked for have no page offset.) */
const TAG_DROPPED: u64 = 0xfffffffffffffffe
const ENTRY_GLOBAL: u32 = 0x80000000
/** Bits 29..30: size of the page behind the entry (0 4 KiB, 1 2 MiB, 2 4 MiB, 3 1 GiB). Bits 0..27: guest-physical page number. */
const ENTRY_SIZE_SHIFT: u32 = 29
const ENTRY_NUMBER: i32 = 0x0fffffff
const EPOCH_MASK: i32 = 0x03ffffff
const EPOCH_MODE_SHIFT: i32 = 26
const EPOCH_MODE_USER: i32 = 4
const LARGE_SHIFT: u64 = 30
/** TLB_LARGE: 4 MiB a bit, the halves of the address space by themselves (a kernel maps all memory large, in its own). */
const REGION_SHIFT: u64 = 22
const REGION_BITS: u32 = 2047
const HALF_SHIFT: u64 = 52
const HALF_BIT: u32 = 2048
const SIZE_1_GIB: u32 = 3

/** A value that no jump-cache entry has. */
function next_epoch(vcpu: usize): i32 {
  let next = (load<i32>(vcpu, EPOCH_COUNT) + 1) & EPOCH_MASK
  if (next == 0) {
    // The counter starts over: no entry of the last round may match again.
    clear_jump_cache(vcpu)
    next = 1
  }
  store<i32>(vcpu, next, EPOCH_COUNT)
  return next
}

/** And where the run loop goes from regions, which is known for the same epochs. */
export function clear_jump_cache(vcpu: usize): void {
  memory.fill(vcpu + JUMP_CACHE, 0xff, JUMP_CACHE_ENTRIES * JUMP_CACHE_ENTRY_BYTES)
  memory.fill(vcpu + JUMP_RECORDS, 0xff, JUMP_CACHE_ENTRIES * 4)
  const bytes = NEXT_LINES * NEXT_WAYS * NEXT_WAY_BYTES
  memory.fill(<usize>NEXT_REGIONS + ((vcpu - VCPU_BASE) / VCPU_STRIDE) * <usize>bytes, 0xff, bytes)
}

/** Makes every jump-cache entry stale. The low 26 bits of the epoch count, the rest is the mode (set_epoch_mode). */
export function bump_code_epoch(vcpu: usize): void {
  const next = next_epoch(vcpu)
  store<i32>(vcpu, next, EPOCH_SUPERVISOR)
  store<i32>(vcpu, next, EPOCH_USER)
  store<u32>(vcpu, 0, EPOCH_LOCAL)
  memory.fill(vcpu + JUMP_PAGES, 0, JUMP_PAGES_BYTES)
  store<i32>(vcpu, (load<i32>(vcpu, CODE_EPOCH) & ~EPOCH_MASK) | next, CODE_EPOCH)
}

/**
 * After translations of pages that are not global were dropped. Kernels map themselves global, so the supervisor's entries mostly outlive a
 * change of address space; the user's are all taken to be stale.
 */
export function bump_local_epoch(vcpu: usize): void {
  const next = next_epoch(vcpu)
  store<i32>(vcpu, next, EPOCH_USER)
  if (load<u32>(vcpu, EPOCH_LOCAL)) {
    store<i32>(vcpu, next, EPOCH_SUPERVISOR)
    store<u32>(vcpu, 0, EPOCH_LOCAL)
  }
  set_epoch_mode(vcpu, load<i32>(vcpu, CODE_EPOCH) >> EPOCH_MODE_SHIFT)
}

/** The mode part of CODE_EPOCH: code size, | 4 user, | 8 flat. */
export function set_epoch_mode(vcpu: usize, mode: i32): void {
  const epoch = mode & EPOCH_MODE_USER ? load<i32>(vcpu, EPOCH_USER) : load<i32>(vcpu, EPOCH_SUPERVISOR)
  store<i32>(vcpu, epoch | (mode << EPOCH_MODE_SHIFT), CODE_EPOCH)
}

/** Are jump-cache entries of this epoch valid, in the mode that it names? */
export function is_current_epoch(vcpu: usize, epoch: i32): bool {
  const current = (epoch >> EPOCH_MODE_SHIFT) & EPOCH_MODE_USER ? load<i32>(vcpu, EPOCH_USER) : load<i32>(vcpu, EPOCH_SUPERVISOR)
  return (epoch & EPOCH_MASK) == current
}

// @ts-ignore: decorator
@inline
function jump_page_byte(vcpu: usize, page: u64): usize {
  return vcpu + JUMP_PAGES + (<usize>(page >> 3) & (JUMP_PAGES_BYTES - 1))
}

/** The jump cache gets an entry for code at `linear`, whose page fetch_page has just found (WALK_FLAGS). */
export function note_jump_page(vcpu: usize, linear: u64, user: bool): void {
  const flags = load<u32>(vcpu, WALK_FLAGS)
  const page = linear >> (flags >> WALK_SIZE_SHIFT ? LARGE_SHIFT : 12)
  const at = jump_page_byte(vcpu, page)
  store<u8>(at, <u32>load<u8>(at) | (1 << (<u32>page & 7)))
  if (!user && !(flags & WALK_GLOBAL)) store<u32>(vcpu, 1, EPOCH_LOCAL)
}

/** May the jump cache have entries of the page at `linear`, or of a large page around it? */
function has_jumps(vcpu: usize, linear: u64): bool {
  const small = linear >> 12
  const large = linear >> LARGE_SHIFT
  const ofSmall = <u32>load<u8>(jump_page_byte(vcpu, small)) >> (<u32>small & 7)
  const ofLarge = <u32>load<u8>(jump_page_byte(vcpu, large)) >> (<u32>large & 7)
  return ((ofSmall | ofLarge) & 1) != 0
}

// @ts-ignore: decorator
@inline
export function table_of(kind: i32): usize {
  return kind == KIND_READ ? TLB_READ : kind == KIND_WRITE ? TLB_WRITE : TLB_EXECUTE
}

// @ts-ignore: decorator
@inline
export function tlb_slot(vcpu: usize, linear: u64, kind: i32, mode: i32): usize {
  const index = <usize>(linear >> 12) & (TLB_ENTRIES - 1)
  return vcpu + TLB + <usize>mode * TLB_CONTEXT_BYTES + table_of(kind) + index * TLB_ENTRY_BYTES
}

/** Host address of `linear` when the TLB has it, or 0. Only within one page. */
// @ts-ignore: decorator
@inline
export function tlb_lookup(vcpu: usize, linear: u64, kind: i32, mode: i32): usize {
  const slot = tlb_slot(vcpu, linear, kind, mode)
  return load<u64>(slot) == (linear & ~0xfff) ? <usize>(<u32>linear + load<u32>(slot, 8)) : 0
}

/** Guest-physical page number that the TLB's entry for `linear` leads to. */
// @ts-ignore: decorator
@inline
export function tlb_number(vcpu: usize, linear: u64, kind: i32, mode: i32): i32 {
  return load<i32>(tlb_slot(vcpu, linear, kind, mode), 12) & ENTRY_NUMBER
}

/** Does a data breakpoint (DR0..3) lie in the page of `linear`? Breakpoint ranges are aligned to their length: they never cross pages. */
function page_watched(vcpu: usize, linear: u64): bool {
  const watch = load<i32>(vcpu, WATCH) & 15
  if (!watch) return false
  for (let i: usize = 0; i < 4; i++) {
    if (watch & (1 << <i32>i) && load<u64>(vcpu + (i << 3), REG_DR0) >> 12 == linear >> 12) return true
  }
  return false
}

// @ts-ignore: decorator
@inline
function large_bit(linear: u64): u32 {
  return (<u32>(linear >> REGION_SHIFT) & REGION_BITS) | (<u32>(linear >> HALF_SHIFT) & HALF_BIT)
}

function note_large_page(vcpu: usize, linear: u64, size: u32): void {
  // INVLPG may name any address of it: simply every bit
  if (size == SIZE_1_GIB) {
    memory.fill(vcpu + TLB_LARGE, 0xff, TLB_LARGE_BYTES)
    return
  }
  const bit = large_bit(linear)
  const at = vcpu + TLB_LARGE + (bit >> 3)
  store<u8>(at, <u32>load<u8>(at) | (1 << (bit & 7)))
}

/** After the entries of a saved machine were put in. */
export function note_large_pages(vcpu: usize): void {
  const count = load<u32>(vcpu, TLB_JOURNAL_COUNT)
  for (let i: u32 = 0; i < count; i++) {
    const slot = vcpu + load<u32>(vcpu + (<usize>i << 2), TLB_JOURNAL)
    const size = (load<u32>(slot, 12) >> ENTRY_SIZE_SHIFT) & 3
    if (load<u64>(slot) < TAG_DROPPED && size) note_large_page(vcpu, load<u64>(slot), size)
  }
}

/** Enters the page just walked (WALK_*) for accesses of one kind, when what it leads to may be accessed without a closer look. */
export function tlb_fill(vcpu: usize, linear: u64, kind: i32, mode: i32): void {
  if (load<i32>(vcpu, TLB_NO_FILL) && kind != KIND_EXECUTE) return
  const gpa = load<u64>(vcpu, WALK_PAGE)
  const entry = physmap_entry(gpa)
  if (!(entry & PHYS_READ)) return
  const flags = load<u32>(vcpu, WALK_FLAGS)
  if (kind == KIND_WRITE) {
    if ((entry & (PHYS_WRITE | PHYS_CODE)) != PHYS_WRITE || !(flags & WALK_DIRTY)) return
    mark_dirty(host_page(entry))
  }
  if (kind != KIND_EXECUTE && page_watched(vcpu, linear)) return
  const slot = tlb_slot(vcpu, linear, kind, mode)
  if (load<u64>(slot) == TAG_EMPTY) {
    const count = load<u32>(vcpu, TLB_JOURNAL_COUNT)
    if (count >= <u32>TLB_JOURNAL_ENTRIES) flush_tlb_entries(vcpu)
    const at = load<u32>(vcpu, TLB_JOURNAL_COUNT)
    store<u32>(vcpu + (<usize>at << 2), <u32>(slot - vcpu), TLB_JOURNAL)
    store<u32>(vcpu, at + 1, TLB_JOURNAL_COUNT)
  }
  if (flags >> WALK_SIZE_SHIFT) note_large_page(vcpu, linear, flags >> WALK_SIZE_SHIFT)
  const page = linear & ~0xfff
  store<u64>(slot, page)
  store<u32>(slot, host_page(entry) - <u32>page, 8)
  store<u32>(slot, <u32>(gpa >> 12) | (flags & WALK_GLOBAL ? ENTRY_GLOBAL : 0) | ((flags >> WALK_SIZE_SHIFT) << ENTRY_SIZE_SHIFT), 12)
}

/** Empties the whole TLB without looking at the journal, and the jump cache whatever its epochs say: for power-on and load. */
export function reset_tlb(vcpu: usize): void {
  memory.fill(vcpu + TLB, 0xff, TLB_END - TLB)
  memory.fill(vcpu + TLB_LARGE, 0, TLB_LARGE_BYTES)
  clear_jump_cache(vcpu)
  store<u32>(vcpu, 0, TLB_JOURNAL_COUNT)
  bump_code_epoch(vcpu)
}

function flush_tlb_entries(vcpu: usize): void {
  const count = load<u32>(vcpu, TLB_JOURNAL_COUNT)
  for (let i: u32 = 0; i < count; i++) store<u64>(vcpu + load<u32>(vcpu + (<usize>i << 2), TLB_JOURNAL), TAG_EMPTY)
  store<u32>(vcpu, 0, TLB_JOURNAL_COUNT)
  memory.fill(vcpu + TLB_LARGE, 0, TLB_LARGE_BYTES)
}

function count_flush(vcpu: usize): void {
  store<u64>(vcpu, load<u64>(vcpu, COUNT_TLB_FLUSHES) + 1, COUNT_TLB_FLUSHES)
}

/** Drops every translation, global ones too. */
export function flush_tlb(vcpu: usize): void {
  flush_tlb_entries(vcpu)
  count_flush(vcpu)
  bump_code_epoch(vcpu)
}

/** Drops every translation but those of global pages. */
export function flush_tlb_local(vcpu: usize): void {
  const count = load<u32>(vcpu, TLB_JOURNAL_COUNT)
  let kept: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const offset = load<u32>(vcpu + (<usize>i << 2), TLB_JOURNAL)
    const slot = vcpu + offset
    if (load<u64>(slot) != TAG_DROPPED && load<u32>(slot, 12) & ENTRY_GLOBAL) {
      store<u32>(vcpu + (<usize>kept << 2), offset, TLB_JOURNAL)
      kept++
    } else {
      store<u64>(slot, TAG_EMPTY)
    }
  }
  store<u32>(vcpu, kept, TLB_JOURNAL_COUNT)
  count_flush(vcpu)
  bump_local_epoch(vcpu)
}

// @ts-ignore: decorator
@inline
function is_write_slot(offset: u32): bool {
  const inContext = <i32>(offset - TLB) % TLB_CONTEXT_BYTES
  return inContext >= TLB_WRITE && inContext < TLB_WRITE + TLB_TABLE_BYTES
}

/**
 * Drops all write entries: after pages got PHYS_CODE, or after the dirty map was cleared, so that the next write takes the slow path.
 * What executes is not affected, so the code epoch stays.
 */
export function flush_write_tlb(vcpu: usize): void {
  const count = load<u32>(vcpu, TLB_JOURNAL_COUNT)
  for (let i: u32 = 0; i < count; i++) {
    const offset = load<u32>(vcpu + (<usize>i << 2), TLB_JOURNAL)
    if (is_write_slot(offset)) store<u64>(vcpu + offset, TAG_DROPPED)
  }
}

/** Drops the write entries that lead to one host page (which just got PHYS_CODE). */
export function flush_write_page(vcpu: usize, hostPage: u32): void {
  const count = load<u32>(vcpu, TLB_JOURNAL_COUNT)
  for (let i: u32 = 0; i < count; i++) {
    const offset = load<u32>(vcpu + (<usize>i << 2), TLB_JOURNAL)
    const slot = vcpu + offset
    if (is_write_slot(offset) && <u32>load<u64>(slot) + load<u32>(slot, 8) == hostPage) store<u64>(slot, TAG_DROPPED)
  }
}

/** Drops the entries for executing code of one guest-physical page: regions that go there have to ask again (region_code). */
export function flush_execute_page(vcpu: usize, gpa: u64): void {
  const count = load<u32>(vcpu, TLB_JOURNAL_COUNT)
  for (let i: u32 = 0; i < count; i++) {
    const offset = load<u32>(vcpu + (<usize>i << 2), TLB_JOURNAL)
    const inContext = <i32>(offset - TLB) % TLB_CONTEXT_BYTES
    if (inContext < TLB_EXECUTE || inContext >= TLB_EXECUTE + TLB_TABLE_BYTES) continue
    if ((load<i32>(vcpu + offset, 12) & ENTRY_NUMBER) == <i32>(gpa >> 12)) store<u64>(vcpu + offset, TAG_DROPPED)
  }
}

/** INVLPG: drops the translations of one page. Large pages are cached in 4 KiB pieces: the pieces of the same 2 MiB, 4 MiB or 1 GiB page go too. */
export function invalidate_page(vcpu: usize, linear: u64): void {
  const bit = large_bit(linear)
  if ((<u32>load<u8>(vcpu + TLB_LARGE + (bit >> 3)) >> (bit & 7)) & 1) drop_pieces(vcpu, linear)
  else drop_small_page(vcpu, linear & ~0xfff)
  if (has_jumps(vcpu, linear)) bump_code_epoch(vcpu)
}

function drop_small_page(vcpu: usize, page: u64): void {
  for (let mode: i32 = 0; mode < TLB_CONTEXTS; mode++) {
    drop_slot(tlb_slot(vcpu, page, KIND_READ, mode), page)
    drop_slot(tlb_slot(vcpu, page, KIND_WRITE, mode), page)
    drop_slot(tlb_slot(vcpu, page, KIND_EXECUTE, mode), page)
  }
}

// @ts-ignore: decorator
@inline
function drop_slot(slot: usize, page: u64): void {
  if (load<u64>(slot) == page) store<u64>(slot, TAG_DROPPED)
}

function drop_pieces(vcpu: usize, linear: u64): void {
  const count = load<u32>(vcpu, TLB_JOURNAL_COUNT)
  for (let i: u32 = 0; i < count; i++) {
    const slot = vcpu + load<u32>(vcpu + (<usize>i << 2), TLB_JOURNAL)
    const tag = load<u64>(slot)
    if (tag == TAG_DROPPED) continue
    const shift = <u64>((load<u32>(slot, 12) >> ENTRY_SIZE_SHIFT) & 3)
    const bits: u64 = shift == 0 ? 12 : shift == 1 ? 21 : shift == 2 ? 22 : 30
    if (tag >> bits == linear >> bits) store<u64>(slot, TAG_DROPPED)
  }
}
