/** HYPERVISOR_memory_op: what shows at which frame, the balloon, and how much memory there is. xen/include/public/memory.h. */
import { isSelf } from '../domains'
import { E2BIG, EINVAL, ENOSYS, EPERM, ESRCH, XenError, refuse } from '../errors'
import { GuestStruct } from '../guest-struct'
import type { HypercallCall } from '../hypercall-call'
import { SHARED_INFO_PAGE } from '../shared-info'
import type { Domain, Hypercall } from './domain'

const INCREASE_RESERVATION = 0
const DECREASE_RESERVATION = 1
const MAXIMUM_RAM_PAGE = 2
const CURRENT_RESERVATION = 3
const MAXIMUM_RESERVATION = 4
const POPULATE_PHYSMAP = 6
const ADD_TO_PHYSMAP = 7
const MEMORY_MAP = 9
const MAXIMUM_GPFN = 14
const REMOVE_FROM_PHYSMAP = 15
const ADD_TO_PHYSMAP_BATCH = 23
/** The command is in the low bits; above it is where an interrupted call goes on. */
const COMMAND_MASK = 0x3f

const SPACE_SHARED_INFO = 0
const SPACE_GRANT_TABLE = 1
const MAX_E820 = 128
const E820_BYTES = 20
const MAX_ORDER = 9
const LAST_FRAME = 0x1fffff

const RESERVATION = new GuestStruct({ extents: 'long', count: 'long', order: 'u32', flags: 'u32', domain: 'u16' })
const ADD = new GuestStruct({ domain: 'u16', size: 'u16', space: 'u32', index: 'long', frame: 'long' })
const ADD_BATCH = new GuestStruct({ domain: 'u16', space: 'u16', size: 'u16', extra: 'u16', indexes: 'long', frames: 'long', errors: 'long' })
const REMOVE = new GuestStruct({ domain: 'u16', frame: 'long' })
const MAP = new GuestStruct({ count: 'u32', buffer: 'long' })
const DOMAIN = new GuestStruct({ domain: 'u16' })

export const memoryOp: Hypercall = (call, domain) => {
  const command = call.argument32(0) & COMMAND_MASK
  const at = call.argument(1)
  switch (command) {
    case POPULATE_PHYSMAP:
    case DECREASE_RESERVATION:
      return changeReservation(call, domain, command === POPULATE_PHYSMAP)
    case INCREASE_RESERVATION:
      // Without frame numbers: of guests that keep their own map of machine frames.
      return refuse(ENOSYS)
    case MAXIMUM_RAM_PAGE:
      return domain.frames.lastFrame
    case CURRENT_RESERVATION:
      checkSelf(call.read(DOMAIN, at).domain)
      return domain.frames.present
    case MAXIMUM_RESERVATION:
      checkSelf(call.read(DOMAIN, at).domain)
      return domain.frames.most
    case MAXIMUM_GPFN:
      checkSelf(call.read(DOMAIN, at).domain)
      return domain.frames.lastFrame
    case ADD_TO_PHYSMAP: {
      const { domain: whose, space, index, frame } = call.read(ADD, at)
      checkSelf(whose)
      show(domain, space, index, frameNumber(frame))
      return 0
    }
    case ADD_TO_PHYSMAP_BATCH:
      return addBatch(call, domain, at)
    case REMOVE_FROM_PHYSMAP: {
      const { domain: whose, frame } = call.read(REMOVE, at)
      checkSelf(whose)
      const number = frameNumber(frame)
      if (isKept(domain, number) || !domain.frames.release(number)) refuse(EINVAL)
      return 0
    }
    case MEMORY_MAP:
      return memoryMap(call, domain, at)
    default:
      return refuse(ENOSYS)
  }
}

function checkSelf(domain: number): void {
  if (!isSelf(domain)) refuse(domain === 0 ? EPERM : ESRCH)
}

function frameNumber(value: bigint): number {
  return value > BigInt(LAST_FRAME) ? refuse(EINVAL) : Number(value)
}

/** Pages that the toolstack put there: the rings of store and console stay. */
function isKept({ frames, grants }: Domain, frame: number): boolean {
  const page = frames.ownPage(frame)
  return page !== undefined && page !== SHARED_INFO_PAGE && page < grants.pageOf(0)
}

function show(domain: Domain, space: number, index: bigint, frame: number): void {
  const { frames, grants } = domain
  if (isKept(domain, frame)) refuse(EINVAL)
  if (space === SPACE_SHARED_INFO) {
    if (index !== 0n || !frames.show(SHARED_INFO_PAGE, frame)) refuse(EINVAL)
  } else if (space === SPACE_GRANT_TABLE) {
    // Bit 31 asks for the status frames of version 2, which the table has not.
    if (index > 0xffffn || !grants.grow(Number(index) + 1) || !frames.show(grants.pageOf(Number(index)), frame)) refuse(EINVAL)
  } else refuse(ENOSYS)
}

/** How many extents were changed; the caller asks again for the rest. */
function changeReservation(call: HypercallCall, domain: Domain, populate: boolean): number {
  const { extents, count, order, domain: whose } = call.read(RESERVATION, call.argument(1))
  checkSelf(whose)
  if (order > MAX_ORDER) return 0
  const pages = 1 << order
  const start = Number(call.argument(0) >> 6n)
  const wanted = count > 0x100000n ? 0x100000 : Number(count)
  for (let done = Math.min(start, wanted); done < wanted; done++) {
    if (!call.afford(pages)) return done
    const first = call.readLong(extents, done)
    if (first > BigInt(LAST_FRAME)) return done
    for (let page = 0; page < pages; page++) {
      const frame = Number(first) + page
      if (populate ? !domain.frames.populate(frame) : isKept(domain, frame) || !domain.frames.release(frame)) return done
    }
    // Frames and machine frames are the same to guests whose memory is translated.
    if (populate) call.writeLong(extents, done, first)
  }
  return wanted
}

function addBatch(call: HypercallCall, domain: Domain, at: bigint): number {
  const { domain: whose, space, size, indexes, frames, errors } = call.read(ADD_BATCH, at)
  checkSelf(whose)
  for (let i = 0; i < size; i++) {
    if (!call.afford(1)) refuse(E2BIG)
    let status = 0
    try {
      show(domain, space, call.readLong(indexes, i), frameNumber(call.readLong(frames, i)))
    } catch (error) {
      status = errnoOf(error)
    }
    const data = new Uint8Array(4)
    new DataView(data.buffer).setInt32(0, -status, true)
    call.writeBytes(errors + BigInt(i * 4), data)
  }
  return 0
}

function errnoOf(error: unknown): number {
  if (error instanceof XenError) return error.errno
  throw error
}

function memoryMap(call: HypercallCall, { memoryMap: map }: Domain, at: bigint): number {
  const { count, buffer } = call.read(MAP, at)
  const shown = Math.min(count, map.length, MAX_E820)
  const bytes = new Uint8Array(shown * E820_BYTES)
  const view = new DataView(bytes.buffer)
  map.slice(0, shown).forEach((entry, i) => {
    view.setBigUint64(i * E820_BYTES, BigInt(entry.address), true)
    view.setBigUint64(i * E820_BYTES + 8, BigInt(entry.bytes), true)
    view.setUint32(i * E820_BYTES + 16, entry.type, true)
  })
  call.writeBytes(buffer, bytes)
  call.writeField(MAP, at, 'count', shown)
  return 0
}
