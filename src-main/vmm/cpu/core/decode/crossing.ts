/**
 * Instructions that cross the end of a page, for regions: no page's list may have them as code that can be executed, since what follows the page in linear memory
 * may change. A region looks whether it is still there. What its bytes need is that writes to them are noticed: each of the two parts has a block
 * that nobody finds by an address and a CODE_KEY, the first with the instruction's record.
 */
import {
  BLOCK_CODE_BYTES,
  BLOCK_ENTRY,
  BLOCK_HEADER_BYTES,
  ENTRY_NEVER,
  KEY_CROSSING,
  PHYS_READ,
  REC_BYTES,
} from '../../layout'
import { host_page, physmap_entry } from '../mmu/physical'
import { INSTRUCTION_BYTES_MAX, KEY_MODE, add_block, block_room, find_in_hash } from './blocks'
import { decode_instruction } from './decode'

/** The part of `bytes` at `gpa`, in the lists; 0: no room. */
function part(gpa: u64, key: i32, records: i32, bytes: u32): usize {
  let block = find_in_hash(gpa, key)
  if (block && load<u32>(block, BLOCK_CODE_BYTES) >= bytes) return block
  block = block_room()
  if (block == 0) return 0
  add_block(block, gpa, key, records, bytes, block + BLOCK_HEADER_BYTES + records * REC_BYTES)
  store<u32>(block, ENTRY_NEVER, BLOCK_ENTRY)
  return block
}

/**
 * For the planner of regions: header of the block with the instruction at guest-physical address `gpa` that goes on at `second`, the beginning of another page, for CODE_KEY `key`. 0: a
 * page is not memory, no instruction crosses here, or there is no room (nothing is flushed for it).
 */
export function code_crossing(gpa: f64, second: f64, key: i32): u32 {
  const first = <u64>gpa
  const next = <u64>second
  const entry = physmap_entry(first)
  const nextEntry = physmap_entry(next)
  if (!(entry & PHYS_READ) || !(nextEntry & PHYS_READ) || next & 0xfff) return 0
  const inPage = 4096 - (<i32>first & 0xfff)
  const block = inPage < INSTRUCTION_BYTES_MAX ? block_room() : 0
  if (block == 0) return 0
  const record = block + BLOCK_HEADER_BYTES
  const buffer = record + REC_BYTES
  memory.copy(buffer, host_page(entry) + (<usize>first & 0xfff), inPage)
  if (decode_instruction(buffer, inPage, key & KEY_MODE, record)) return 0
  memory.copy(buffer + inPage, host_page(nextEntry), INSTRUCTION_BYTES_MAX - inPage)
  const length = decode_instruction(buffer, INSTRUCTION_BYTES_MAX, key & KEY_MODE, record)
  if (length == 0) return 0
  // where it was decoded is where a new block would come to lie
  const kept = find_in_hash(first, key | KEY_CROSSING)
  if (kept) memory.copy(kept + BLOCK_HEADER_BYTES, record, REC_BYTES)
  else part(first, key | KEY_CROSSING, 1, inPage)
  if (part(next, key | KEY_CROSSING, 0, length - inPage) == 0) return 0
  return <u32>find_in_hash(first, key | KEY_CROSSING)
}
