/**
 * HYPERVISOR_grant_table_op. xen/include/public/grant_table.h. The guest grants; it is granted nothing, since the other domain is us: what it would map does not
 * exist, and it is told so entry by entry.
 */
import { isSelf } from '../domains'
import { EINVAL, ENOSYS, refuse } from '../errors'
import { GRANT_BAD_ADDRESS, GRANT_BAD_COPY, GRANT_BAD_DOMAIN, GRANT_BAD_REFERENCE, GRANT_ERROR, GRANT_FRAMES, GRANT_OK, GRANT_PERMISSION_DENIED } from '../grant-table'
import { PAGE_BYTES } from '../guest-frames'
import { GuestStruct } from '../guest-struct'
import type { HypercallCall } from '../hypercall-call'
import { GUEST_DOMAIN } from '../domains'
import { gpa } from '../../../support/branded'
import type { Domain, Hypercall } from './domain'

const MAP = 0
const UNMAP = 1
const SETUP_TABLE = 2
const COPY = 5
const QUERY_SIZE = 6
const SET_VERSION = 8
const GET_VERSION = 10
const VERSION = 1
const COPY_SOURCE_REFERENCE = 1
const COPY_TARGET_REFERENCE = 2

const MAP_ENTRY = new GuestStruct({ hostAddress: 'u64', flags: 'u32', reference: 'u32', domain: 'u16', status: 's16', handle: 'u32', busAddress: 'u64' })
const UNMAP_ENTRY = new GuestStruct({ hostAddress: 'u64', busAddress: 'u64', handle: 'u32', status: 's16' })
const SETUP = new GuestStruct({ domain: 'u16', count: 'u32', status: 's16', frames: 'long' })
const SIZE = new GuestStruct({ domain: 'u16', count: 'u32', most: 'u32', status: 's16' })
const SET = new GuestStruct({ version: 'u32' })
const GET = new GuestStruct({ domain: 'u16', padding: 'u16', version: 'u32' })
const COPY_ENTRY = new GuestStruct({
  source: 'long', sourceDomain: 'u16', sourceOffset: 'u16', target: 'long', targetDomain: 'u16', targetOffset: 'u16', length: 'u16', flags: 'u16', status: 's16',
})

export const grantTableOp: Hypercall = (call, domain) => {
  const at = call.argument(1)
  const count = call.argument32(2)
  switch (call.argument32(0)) {
    case SETUP_TABLE:
      return setup(call, domain, at)
    case QUERY_SIZE: {
      const self = isSelf(call.read(SIZE, at).domain)
      if (self) {
        call.writeField(SIZE, at, 'count', domain.grants.size)
        call.writeField(SIZE, at, 'most', GRANT_FRAMES)
      }
      call.writeField(SIZE, at, 'status', self ? GRANT_OK : GRANT_BAD_DOMAIN)
      return 0
    }
    case SET_VERSION:
      if (call.read(SET, at).version !== VERSION) refuse(ENOSYS)
      return 0
    case GET_VERSION:
      if (!isSelf(call.read(GET, at).domain)) refuse(EINVAL)
      call.writeField(GET, at, 'version', VERSION)
      return 0
    case MAP:
      return each(call, MAP_ENTRY.bytes(call.word), count, (entry) => call.writeField(MAP_ENTRY, entry, 'status', isSelf(call.read(MAP_ENTRY, entry).domain) ? GRANT_BAD_DOMAIN : GRANT_BAD_REFERENCE))
    case UNMAP:
      return each(call, UNMAP_ENTRY.bytes(call.word), count, (entry) => call.writeField(UNMAP_ENTRY, entry, 'status', GRANT_ERROR))
    case COPY:
      return each(call, COPY_ENTRY.bytes(call.word), count, (entry) => call.writeField(COPY_ENTRY, entry, 'status', copy(call, domain, entry)))
    default:
      return refuse(ENOSYS)
  }
}

function each(call: HypercallCall, bytes: number, count: number, work: (entry: bigint) => void): number {
  if (!call.afford(count)) refuse(EINVAL)
  const at = call.argument(1)
  for (let i = 0; i < count; i++) work(at + BigInt(i * bytes))
  return 0
}

/** The list of frames is of use to classic PV only: others say themselves where the table shows. */
function setup(call: HypercallCall, { grants, frames }: Domain, at: bigint): number {
  const { domain, count, frames: list } = call.read(SETUP, at)
  if (!isSelf(domain)) {
    call.writeField(SETUP, at, 'status', GRANT_BAD_DOMAIN)
    return 0
  }
  if (!grants.grow(count)) {
    call.writeField(SETUP, at, 'status', GRANT_ERROR)
    return 0
  }
  for (let i = 0; i < count; i++) call.writeLong(list, i, BigInt(Math.max(0, frames.frameOf(grants.pageOf(i)))))
  call.writeField(SETUP, at, 'status', GRANT_OK)
  return 0
}

function copy(call: HypercallCall, domain: Domain, at: bigint): number {
  const { source, sourceDomain, sourceOffset, target, targetDomain, targetOffset, length, flags } = call.read(COPY_ENTRY, at)
  if (!isSelf(sourceDomain) || !isSelf(targetDomain)) return GRANT_BAD_DOMAIN
  if (sourceOffset + length > PAGE_BYTES || targetOffset + length > PAGE_BYTES) return GRANT_BAD_COPY
  const from = pageAddress(domain, source, (flags & COPY_SOURCE_REFERENCE) !== 0, false)
  const to = pageAddress(domain, target, (flags & COPY_TARGET_REFERENCE) !== 0, true)
  if (from < 0) return from
  if (to < 0) return to
  const data = new Uint8Array(length)
  domain.memory.read(gpa(from + sourceOffset), data)
  domain.memory.write(gpa(to + targetOffset), data)
  return GRANT_OK
}

/** Guest-physical address, or a GNTST_* error. */
function pageAddress({ grants, memory }: Domain, what: bigint, isReference: boolean, write: boolean): number {
  const grant = isReference ? grants.look(Number(BigInt.asUintN(32, what)), GUEST_DOMAIN) : undefined
  if (isReference && !grant) return GRANT_BAD_REFERENCE
  if (grant?.readOnly === true && write) return GRANT_PERMISSION_DENIED
  const address = grant ? grant.address : what > 0xffffffffn ? -1 : Number(what) * PAGE_BYTES
  return address >= 0 && memory.views(gpa(address), PAGE_BYTES) ? address : GRANT_BAD_ADDRESS
}
