/**
 * Links from block to block, for the interpreter: where a direct jump leads to within its page, whatever linear address the page has. What has run a few hundred times, most of a
 * kernel, is executed by the interpreter; looking up each next block in the jump cache, whose entries for all that code outgrow the processor's own caches, took a fifth
 * of the time of fork and exec.
 *
 * A link says nothing about addresses: both blocks lie in one guest-physical page, so that who executes the first has the second mapped the same way behind or before it. It need not be
 * removed: the run loop looks whether the block it leads to was dropped, and arena and links are flushed together.
 */
import {
  BLOCK_ARENA,
  BLOCK_ARENA_BYTES,
  BLOCK_CODE_BYTES,
  BLOCK_GPA,
  BLOCK_HEADER_BYTES,
  BLOCK_MODE,
  CODE_KEY,
  KEY_FLAT,
  REC_BYTES,
  REC_IMM,
} from '../../layout'
import { LINK_NONE, LINK_POSITION, LINK_TAKEN, LINK_WANTED } from '../../layout-decode'

const MODE_64: i32 = 2
const KEY_MODE: i32 = 3

/** The run loop has found the block for which it wants a link (LINK_WANTED). */
export function link_block(vcpu: usize, record: usize): void {
  const link = <usize>load<u32>(LINK_WANTED)
  store<u32>(LINK_WANTED, 0)
  if (link) store<u32>(link, leads_to(vcpu, link, record) ? <u32>record : LINK_NONE)
}

/** Does the jump always lead to this block, wherever its page is mapped? With segments, or where addresses wrap at 64 KiB, it may not. */
function leads_to(vcpu: usize, link: usize, record: usize): bool {
  if (record < <usize>BLOCK_ARENA || record >= <usize>(BLOCK_ARENA + BLOCK_ARENA_BYTES)) return false
  const key = load<i32>(vcpu, CODE_KEY)
  if ((key & KEY_MODE) != MODE_64 && !(key & KEY_FLAT)) return false
  const jump = link & ~(REC_BYTES - 1)
  const source = jump - <usize>load<u8>(jump, LINK_POSITION) * REC_BYTES - BLOCK_HEADER_BYTES
  const target = record - BLOCK_HEADER_BYTES
  if (load<i32>(source, BLOCK_MODE) != key || load<i32>(target, BLOCK_MODE) != key) return false
  const from = load<u64>(source, BLOCK_GPA)
  const to = load<u64>(target, BLOCK_GPA)
  if (from >> 12 != to >> 12) return false
  const distance = link == jump + LINK_TAKEN ? load<u64>(jump, REC_IMM) : 0
  return from + load<u32>(source, BLOCK_CODE_BYTES) + distance == to
}
