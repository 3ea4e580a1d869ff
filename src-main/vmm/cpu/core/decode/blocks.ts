/**
 * The cache of decoded blocks. A block is a run of records of one page, keyed by guest-physical address and CODE_KEY; vCPUs share it. Writes
 * to pages that hold code take the slow path (PHYS_CODE), which comes here and drops what they hit. Dropped blocks stay readable in
 * the arena until everything is flushed, so a block that is executing may be dropped under its own feet.
 */
import {
  BLOCK_ARENA,
  BLOCK_ARENA_BYTES,
  BLOCK_CODE_BYTES,
  BLOCK_DROPPED,
  BLOCK_ENTRY,
  BLOCK_GPA,
  BLOCK_HASH,
  BLOCK_HASH_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_MODE,
  BLOCK_NEXT_IN_HASH,
  BLOCK_NEXT_IN_PAGE,
  BLOCK_RECORDS,
  CODE_EPOCH,
  CODE_KEY,
  CODE_PAGES,
  CODE_PAGE_BYTES,
  CPL,
  CURRENT_RECORD,
  ENTRY_NEVER,
  JUMP_CACHE,
  JUMP_CACHE_ENTRIES,
  JUMP_CACHE_ENTRY_BYTES,
  JUMP_CACHE_FOLD,
  JUMP_CACHE_SHIFT,
  JUMP_EPOCH,
  JUMP_RECORDS,
  JUMP_WORD,
  LINEAR_MASK,
  PHYSMAP,
  PHYSMAP_PAGES,
  PHYS_CODE,
  PHYS_READ,
  REC_BYTES,
  REC_FLAGS,
  REC_FLAG_DIRECT,
  REC_FLAG_ENDS_BLOCK,
  REG_RIP,
  SEGMENTS,
  SEG_BYTES,
  SEG_CS,
  SEG_EFFECTIVE_BASE,
  SEG_LIMIT,
  TLB_CONTEXT,
  VCPU_BASE,
  VCPU_MAX,
  VCPU_STRIDE,
} from '../../layout'
import {
  ARENA_NEXT,
  CODE_PAGE_LINES,
  CODE_PAGE_MISSES,
  CODE_PAGE_RAN,
  CODE_PAGE_WATCHED,
  COUNT_BLOCKS_DECODED,
  COUNT_BLOCKS_DROPPED,
  COUNT_CODE_FLUSHES,
  COUNT_CODE_WRITES,
  COUNT_RECORDS_DECODED,
  COUNT_UNCACHED_DECODES,
  LINK_POSITION,
  LINK_WANTED,
  UNCACHED_BLOCKS,
  UNCACHED_BLOCK_BYTES,
  UNCACHED_BLOCK_COUNT,
  UNCACHED_BYTES,
} from '../../layout-decode'
import { WALK_PAGE, WALK_UNCACHED } from '../../layout-system'
import { block_refused, code_dropped, region_wanted } from '../host'
import { raise_gp } from '../interrupt/raise'
import { fetch_page } from '../mmu/access'
import { host_page, physmap_entry } from '../mmu/physical'
import { bump_code_epoch, clear_jump_cache, flush_execute_page, flush_write_page, is_current_epoch, note_jump_page } from '../mmu/tlb'
import { decode_instruction } from './decode'

const RECORDS_MAX: i32 = 64
const BLOCK_BYTES_MAX: usize = BLOCK_HEADER_BYTES + RECORDS_MAX * REC_BYTES
export const INSTRUCTION_BYTES_MAX: i32 = 15
/**
 * A page that was written this often without hitting its code, and whose code nobody looked up meanwhile, has become data: its code goes, and
 * writes are fast again. Code that does run stays, however often the data beside it is written: decoding, let alone translating, it again and again
 * would cost more than the slow path of those writes. To see whether it runs, all jump caches are made stale once in a while (RAN is set by find_block).
 */
const MISSES_MAX: u32 = 255
/** Code size, in CODE_KEY. */
export const KEY_MODE: i32 = 3
const ARENA_START: usize = BLOCK_ARENA
const ARENA_END: usize = BLOCK_ARENA + BLOCK_ARENA_BYTES
const CS: usize = SEGMENTS + SEG_CS * SEG_BYTES

// @ts-ignore: decorator
@inline
function count(counter: usize): void {
  store<u32>(counter, load<u32>(counter) + 1)
}

// @ts-ignore: decorator
@inline
function bucket(gpa: u64, key: i32): usize {
  const hash = (<u32>gpa ^ <u32>(gpa >> 32) ^ (<u32>key << 29)) * 0x9e3779b1
  return <usize>BLOCK_HASH + ((<usize>hash >> 14) & ((BLOCK_HASH_BYTES >> 2) - 1)) * 4
}

// @ts-ignore: decorator
@inline
function code_page(gpa: u64): usize {
  return <usize>CODE_PAGES + <usize>(gpa >> 12) * CODE_PAGE_BYTES
}

/** Bits of the 64-byte lines of its page that [offset, offset + bytes) touches. */
function lines(offset: u32, bytes: u32): u64 {
  const first = offset >> 6
  const last = (offset + bytes - 1) >> 6
  return (<u64>-1 << first) & (<u64>-1 >> (63 - last))
}

function is_active(vcpu: usize): bool {
  return load<u32>(vcpu, TLB_CONTEXT) != 0
}

/** After code was dropped: nobody may find it through a jump cache, and who is executing leaves its block after this instruction. */
function leave_blocks(): void {
  for (let i = 0; i < VCPU_MAX; i++) {
    const vcpu = <usize>(VCPU_BASE + i * VCPU_STRIDE)
    if (!is_active(vcpu)) continue
    bump_code_epoch(vcpu)
    const record = <usize>load<u32>(vcpu, CURRENT_RECORD)
    if (record >= ARENA_START && record < ARENA_END) {
      store<u8>(record, load<u8>(record, REC_FLAGS) | REC_FLAG_ENDS_BLOCK, REC_FLAGS)
    }
  }
}

// ---- dropping ------------------------------------------------------------------------------------------------------------------------

function unlink_from_hash(block: usize): void {
  let link = bucket(load<u64>(block, BLOCK_GPA), load<i32>(block, BLOCK_MODE))
  while (true) {
    const at = <usize>load<u32>(link)
    if (at == 0) return
    if (at == block) {
      store<u32>(link, load<u32>(block, BLOCK_NEXT_IN_HASH))
      return
    }
    link = at + BLOCK_NEXT_IN_HASH
  }
}

/** Drops the page's blocks that overlap [first, last] of it; clears PHYS_CODE when none is left. Returns whether any was dropped. */
function drop_range(gpa: u64, first: u32, last: u32): bool {
  const page = code_page(gpa)
  // Translations are made of whole blocks: all that any dropped block covers is gone for them.
  let from = first
  let to = last + 1
  let remaining: u64 = 0
  let dropped = false
  let link = page
  let block = <usize>load<u32>(page)
  while (block) {
    const next = <usize>load<u32>(block, BLOCK_NEXT_IN_PAGE)
    const start = load<u32>(block, BLOCK_GPA) & 0xfff
    const bytes = load<u32>(block, BLOCK_CODE_BYTES)
    if (start <= last && start + bytes > first) {
      store<u32>(link, <u32>next)
      unlink_from_hash(block)
      store<u32>(block, BLOCK_DROPPED, BLOCK_MODE)
      from = min<u32>(from, start)
      to = max<u32>(to, start + bytes)
      count(COUNT_BLOCKS_DROPPED)
      dropped = true
    } else {
      remaining |= lines(start, bytes)
      link = block + BLOCK_NEXT_IN_PAGE
    }
    block = next
  }
  if (!dropped) return false
  store<u64>(page, remaining, CODE_PAGE_LINES)
  store<u8>(page, 0, CODE_PAGE_MISSES)
  if (remaining == 0) clear_code_flag(gpa)
  leave_blocks()
  if (load<u8>(page, CODE_PAGE_WATCHED)) code_dropped(<f64>((gpa & ~0xfff) + from), to - from)
  return true
}

function clear_code_flag(gpa: u64): void {
  const entry = <usize>PHYSMAP + (<usize>(gpa >> 12) << 2)
  store<u32>(entry, load<u32>(entry) & ~PHYS_CODE)
}

/** Bytes of guest-physical memory changed: by a guest write (slow path), a device, or the memory map. A20 is applied already. */
export function invalidate_code(vcpu: usize, gpa: u64, bytes: i32): void {
  let left = <u64>(bytes > 0 ? bytes : 0)
  let at = gpa
  while (left > 0 && at >> 12 < <u64>PHYSMAP_PAGES) {
    const offset = <u32>at & 0xfff
    const part = min<u64>(left, 4096 - offset)
    const page = code_page(at)
    const present = load<u64>(page, CODE_PAGE_LINES)
    if (present) {
      count(COUNT_CODE_WRITES)
      const hit = present & lines(offset, <u32>part)
      if (!hit || !drop_range(at, offset, offset + <u32>part - 1)) count_miss(at, page)
    }
    at += part
    left -= part
  }
}

/** A write to a page with code that hit none of it. */
function count_miss(gpa: u64, page: usize): void {
  const misses = <u32>load<u8>(page, CODE_PAGE_MISSES) + 1
  if (misses < MISSES_MAX) {
    store<u8>(page, misses, CODE_PAGE_MISSES)
    return
  }
  store<u8>(page, 0, CODE_PAGE_MISSES)
  if (!load<u8>(page, CODE_PAGE_RAN)) {
    drop_range(gpa, 0, 4095)
    return
  }
  store<u8>(page, 0, CODE_PAGE_RAN)
  for (let i = 0; i < VCPU_MAX; i++) {
    const vcpu = <usize>(VCPU_BASE + i * VCPU_STRIDE)
    if (!is_active(vcpu)) continue
    bump_code_epoch(vcpu)
    flush_execute_page(vcpu, gpa)
  }
}

/** Code of the page runs. */
export function note_code_runs(gpa: u64): void {
  store<u8>(code_page(gpa), 1, CODE_PAGE_RAN)
}

/**
 * A region is about to write bytes of a page that holds code, all in that page. False: code may be hit, or the page's count is full, and
 * invalidate_code must see the write.
 */
export function count_region_write(gpa: u64, bytes: u32): bool {
  const page = code_page(gpa)
  if (load<u64>(page, CODE_PAGE_LINES) & lines(<u32>gpa & 0xfff, bytes)) return false
  const misses = <u32>load<u8>(page, CODE_PAGE_MISSES) + 1
  if (misses >= MISSES_MAX) return false
  store<u8>(page, misses, CODE_PAGE_MISSES)
  count(COUNT_CODE_WRITES)
  return true
}

/** As invalidate_code for callers in TypeScript (DMA, remapping of ROM and shadow memory): numbers, any length. */
export function invalidate_code_range(gpa: f64, bytes: f64): void {
  let at = <u64>gpa
  let left = <u64>bytes
  while (left > 0 && at >> 12 < <u64>PHYSMAP_PAGES) {
    const part = min<u64>(left, 4096 - (at & 0xfff))
    const offset = <u32>at & 0xfff
    if (load<u64>(code_page(at), CODE_PAGE_LINES)) drop_range(at, offset, offset + <u32>part - 1)
    at += part
    left -= part
  }
}

/** Drops everything decoded: arena full, state loaded, or the decoder tables changed. */
export function flush_code(): void {
  const end = <usize>load<u32>(ARENA_NEXT)
  let block: usize = BLOCK_ARENA
  while (block < end) {
    const gpa = load<u64>(block, BLOCK_GPA)
    const page = code_page(gpa)
    store<u32>(page, 0)
    store<u8>(page, 0, CODE_PAGE_MISSES)
    store<u8>(page, 0, CODE_PAGE_RAN)
    store<u64>(page, 0, CODE_PAGE_LINES)
    clear_code_flag(gpa)
    store<u32>(bucket(gpa, load<i32>(block, BLOCK_MODE)), 0)
    block += <usize>BLOCK_HEADER_BYTES + <usize>load<u32>(block, BLOCK_RECORDS) * REC_BYTES
  }
  store<u32>(ARENA_NEXT, BLOCK_ARENA)
  store<u32>(LINK_WANTED, 0)
  count(COUNT_CODE_FLUSHES)
  leave_blocks()
  for (let i = 0; i < VCPU_MAX; i++) {
    const vcpu = <usize>(VCPU_BASE + i * VCPU_STRIDE)
    store<u32>(vcpu, 0, CURRENT_RECORD)
    for (let at: usize = 0; at < <usize>UNCACHED_BLOCK_COUNT; at++) store<u32>(vcpu + UNCACHED_BLOCKS + at * UNCACHED_BLOCK_BYTES, 0, BLOCK_CODE_BYTES)
    // Stale entries are looked at again (find_block), and what they point to is about to be overwritten.
    if (is_active(vcpu)) clear_jump_cache(vcpu)
  }
  code_dropped(0, 0)
}

// ---- decoding ------------------------------------------------------------------------------------------------------------------------

/** Decodes the block at `gpa`, whose page is at host address `page`; 0 when its first instruction crosses the page's end. */
function decode_block(page: usize, gpa: u64, key: i32): usize {
  let block = <usize>load<u32>(ARENA_NEXT)
  if (block == 0 || block + BLOCK_BYTES_MAX > ARENA_END) {
    flush_code()
    block = BLOCK_ARENA
  }
  const first = <i32>gpa & 0xfff
  let offset = first
  let record = block + BLOCK_HEADER_BYTES
  let records = 0
  while (records < RECORDS_MAX && offset < 4096) {
    const length = decode_instruction(page + offset, 4096 - offset, key & KEY_MODE, record)
    if (length == 0) break
    offset += length
    records++
    record += REC_BYTES
    if (load<u8>(record - REC_BYTES, REC_FLAGS) & REC_FLAG_ENDS_BLOCK) break
  }
  if (records == 0) return 0
  const last = record - REC_BYTES
  if (load<u8>(last, REC_FLAGS) & REC_FLAG_DIRECT) store<u8>(last, records - 1, LINK_POSITION)
  store<u8>(last, load<u8>(last, REC_FLAGS) | REC_FLAG_ENDS_BLOCK, REC_FLAGS)

  add_block(block, gpa, key, records, <u32>(offset - first), record)
  count(COUNT_BLOCKS_DECODED)
  store<u32>(COUNT_RECORDS_DECODED, load<u32>(COUNT_RECORDS_DECODED) + records)
  return block
}

/** Room for a block in the arena; 0: nothing is flushed for it, and there is none. */
export function block_room(): usize {
  const next = <usize>load<u32>(ARENA_NEXT)
  return next != 0 && next + BLOCK_BYTES_MAX <= ARENA_END ? next : 0
}

/** Puts a block into the lists: its `bytes` of code all lie in the page of `gpa`, its records in the arena up to `end`. */
export function add_block(block: usize, gpa: u64, key: i32, records: i32, bytes: u32, end: usize): void {
  const head = bucket(gpa, key)
  const codePage = code_page(gpa)
  store<u64>(block, gpa, BLOCK_GPA)
  store<i32>(block, key, BLOCK_MODE)
  store<u32>(block, 0, BLOCK_ENTRY)
  store<i32>(block, records, BLOCK_RECORDS)
  store<u32>(block, bytes, BLOCK_CODE_BYTES)
  store<u32>(block, load<u32>(head), BLOCK_NEXT_IN_HASH)
  store<u32>(block, load<u32>(codePage), BLOCK_NEXT_IN_PAGE)
  store<u32>(head, <u32>block)
  store<u32>(codePage, <u32>block)
  store<u64>(codePage, load<u64>(codePage, CODE_PAGE_LINES) | lines(<u32>gpa & 0xfff, bytes), CODE_PAGE_LINES)
  store<u32>(ARENA_NEXT, <u32>end)
  mark_code_page(gpa)
}

/** From now on writes to the page take the slow path on every vCPU. */
function mark_code_page(gpa: u64): void {
  const at = <usize>PHYSMAP + (<usize>(gpa >> 12) << 2)
  const entry = load<u32>(at)
  if (entry & PHYS_CODE) return
  store<u32>(at, entry | PHYS_CODE)
  for (let i = 0; i < VCPU_MAX; i++) {
    const vcpu = <usize>(VCPU_BASE + i * VCPU_STRIDE)
    if (is_active(vcpu)) flush_write_page(vcpu, entry & 0xfffff000)
  }
}

export function find_in_hash(gpa: u64, key: i32): usize {
  let block = <usize>load<u32>(bucket(gpa, key))
  while (block) {
    if (load<u64>(block, BLOCK_GPA) == gpa && load<i32>(block, BLOCK_MODE) == key) return block
    block = <usize>load<u32>(block, BLOCK_NEXT_IN_HASH)
  }
  return 0
}

/**
 * A block of one instruction that no page's list may have. `page` is the host address of its first page; at most `room` bytes lie inside the
 * CS limit. Bytes of the second page are fetched only when the instruction needs them, so that its fault is precise.
 *
 * It is not decoded again while its bytes are the same: which bytes are needed depends on nothing but those before and on the mode. (A loop of a kernel's
 * start with such an instruction spent a quarter of that start on decoding it.)
 */
function decode_uncached(vcpu: usize, page: usize, linear: u64, mode: i32, room: u64): u32 {
  const offset = <i32>linear & 0xfff
  const inPage = min<i32>(4096 - offset, INSTRUCTION_BYTES_MAX)
  const allowed = <i32>min<u64>(room, INSTRUCTION_BYTES_MAX)
  const block = vcpu + UNCACHED_BLOCKS + (<usize>(linear ^ (linear >> 12)) & (UNCACHED_BLOCK_COUNT - 1)) * UNCACHED_BLOCK_BYTES
  const record = block + BLOCK_HEADER_BYTES
  const buffer = block + UNCACHED_BYTES
  const known = load<i32>(block, BLOCK_CODE_BYTES)
  if (known > inPage && known <= allowed && load<i32>(block, BLOCK_MODE) == mode && memory.compare(buffer, page + offset, inPage) == 0) {
    const second = second_page(vcpu, linear)
    if (second == 0) return 0
    if (memory.compare(buffer + inPage, second, known - inPage) == 0) return <u32>record
  }
  // whatever happens below, what was there is gone
  store<i32>(block, 0, BLOCK_CODE_BYTES)
  memory.copy(buffer, page + offset, inPage)
  let length = decode_instruction(buffer, min<i32>(inPage, allowed), mode, record)
  if (length == 0 && allowed > inPage) {
    const second = second_page(vcpu, linear)
    if (second == 0) return 0
    memory.copy(buffer + inPage, second, INSTRUCTION_BYTES_MAX - inPage)
    length = decode_instruction(buffer, allowed, mode, record)
  }
  if (length == 0) {
    raise_gp(vcpu, 0)
    return 0
  }
  store<u64>(block, <u64>-1, BLOCK_GPA)
  store<i32>(block, mode, BLOCK_MODE)
  store<u32>(block, ENTRY_NEVER, BLOCK_ENTRY)
  store<i32>(block, 1, BLOCK_RECORDS)
  store<i32>(block, length, BLOCK_CODE_BYTES)
  store<u8>(record, load<u8>(record, REC_FLAGS) | REC_FLAG_ENDS_BLOCK, REC_FLAGS)
  count(COUNT_UNCACHED_DECODES)
  return <u32>record
}

// @ts-ignore: decorator
@inline
function second_page(vcpu: usize, linear: u64): usize {
  return <usize>fetch_page(vcpu, ((linear & ~0xfff) + 4096) & load<u64>(vcpu, LINEAR_MASK))
}

/** First of the two slots of the jump cache for a linear address; the other is its neighbour. The run loop computes the same. */
// @ts-ignore: decorator
@inline
export function jump_slot(vcpu: usize, linear: u64): usize {
  return vcpu + JUMP_CACHE + <usize>(((<u32>linear >> JUMP_CACHE_SHIFT) ^ (<u32>linear >> JUMP_CACHE_FOLD)) & (JUMP_CACHE_ENTRIES - 1)) * JUMP_CACHE_ENTRY_BYTES
}

/** Where JUMP_RECORDS has the record of a slot of the jump cache. */
// @ts-ignore: decorator
@inline
function record_slot(vcpu: usize, slot: usize): usize {
  return vcpu + JUMP_RECORDS + (slot - vcpu - JUMP_CACHE) / JUMP_CACHE_ENTRY_BYTES * 4
}

/** What the jump cache has for `linear`, when it leads to the live block at `gpa` whatever the epoch; else 0. */
// @ts-ignore: decorator
@inline
function find_in_slot(vcpu: usize, slot: usize, linear: u64, gpa: u64, key: i32): usize {
  const record = <usize>load<u32>(record_slot(vcpu, slot))
  if (load<u64>(slot) != linear || record <= ARENA_START || record >= ARENA_END) return 0
  const block = record - BLOCK_HEADER_BYTES
  return load<u64>(block, BLOCK_GPA) == gpa && load<i32>(block, BLOCK_MODE) == key ? block : 0
}

/** Address of the record to execute next, at CS:RIP; 0 when an exception is recorded instead. */
export function find_block(vcpu: usize): u32 {
  const key = load<i32>(vcpu, CODE_KEY)
  const mode = key & KEY_MODE
  const rip = load<u64>(vcpu, REG_RIP)
  let linear = rip
  // bytes that may be fetched from here on
  let room: u64 = INSTRUCTION_BYTES_MAX
  if (mode != 2) {
    const limit = <u64>load<u32>(vcpu + CS, SEG_LIMIT)
    if (rip > limit) {
      raise_gp(vcpu, 0)
      return 0
    }
    room = limit - rip + 1
    linear = (load<u64>(vcpu + CS, SEG_EFFECTIVE_BASE) + rip) & load<u64>(vcpu, LINEAR_MASK)
  }
  const page = <usize>fetch_page(vcpu, linear)
  if (page == 0) return 0
  const gpa = load<u64>(vcpu, WALK_PAGE) | (linear & 0xfff)
  if (load<u32>(vcpu, WALK_UNCACHED) || gpa >> 12 >= <u64>PHYSMAP_PAGES) return decode_uncached(vcpu, page, linear, mode, room)

  const slot = jump_slot(vcpu, linear)
  let block = find_in_slot(vcpu, slot, linear, gpa, key)
  if (block == 0) block = find_in_hash(gpa, key)
  if (block == 0) block = decode_block(page, gpa, key)
  if (block == 0) return decode_uncached(vcpu, page, linear, mode, room)
  if (mode != 2 && <u64>load<u32>(block, BLOCK_CODE_BYTES) > room) return decode_uncached(vcpu, page, linear, mode, room)

  const record = <u32>block + BLOCK_HEADER_BYTES
  // What was there moves to the neighbour, which may be another block's own place: not what is stale, nor what came from there.
  const before = load<u64>(slot)
  if (before != linear && jump_slot(vcpu, before) == slot && is_current_epoch(vcpu, load<i32>(slot, JUMP_EPOCH))) {
    const neighbour = slot ^ JUMP_CACHE_ENTRY_BYTES
    memory.copy(neighbour, slot, JUMP_CACHE_ENTRY_BYTES)
    store<u32>(record_slot(vcpu, neighbour), load<u32>(record_slot(vcpu, slot)))
  }
  store<u64>(slot, linear)
  store<u32>(record_slot(vcpu, slot), record)
  store<i32>(slot, load<i32>(vcpu, CODE_EPOCH), JUMP_EPOCH)
  // whether it is translated is for the run loop to see
  store<u32>(slot, 0, JUMP_WORD)
  note_code_runs(gpa)
  note_jump_page(vcpu, linear, load<i32>(vcpu, CPL) == 3)
  return record
}

/**
 * For the planner of regions: header of the block at a guest-physical address for CODE_KEY `key`, decoded when it is not yet. 0: the page is not
 * memory, the instruction crosses its end, or there is no room (nothing is flushed for it).
 */
export function code_block(gpa: f64, key: i32): u32 {
  const at = <u64>gpa
  const entry = physmap_entry(at)
  if (!(entry & PHYS_READ)) return 0
  const block = find_in_hash(at, key)
  if (block) return <u32>block
  if (block_room() == 0) return 0
  return <u32>decode_block(host_page(entry), at, key)
}

/** The run loop has found a block hot. */
export function want_region(vcpu: usize, block: u32): void {
  region_wanted(vcpu, block)
}

/** The block of a region that begins at a guest-physical address does not find the x87's stack as it expects it. */
export function region_refused(vcpu: usize, gpa: u64): void {
  block_refused(<f64>gpa, load<u32>(vcpu, CODE_KEY))
}
