/** HYPERVISOR_xen_version: who we are and what we can. xen/include/public/version.h, features.h. */
import { EINVAL, ENODATA, ENOSYS, refuse } from '../errors'
import { GuestStruct } from '../guest-struct'
import { XEN_VERSION } from '../leaves'
import type { Hypercall } from './domain'

const VERSION = 0
const EXTRA_VERSION = 1
const COMPILE_INFO = 2
const CAPABILITIES = 3
const CHANGESET = 4
const PLATFORM_PARAMETERS = 5
const GET_FEATURES = 6
const PAGE_SIZE = 7
const GUEST_HANDLE = 8
const COMMAND_LINE = 9
const BUILD_ID = 10

const WRITABLE_PAGE_TABLES = 1 << 0
const AUTO_TRANSLATED = 1 << 2
const HVM_CALLBACK_VECTOR = 1 << 8
const HVM_SAFE_PVCLOCK = 1 << 9
const NOT_DIRECT_MAPPED = 1 << 16
const FEATURES = WRITABLE_PAGE_TABLES | AUTO_TRANSLATED | HVM_CALLBACK_VECTOR | HVM_SAFE_PVCLOCK | NOT_DIRECT_MAPPED

/** compiler[64], compile_by[16], compile_domain[32], compile_date[32]. */
const COMPILER_BYTES = [64, 16, 32, 32] as const
const COMPILER = ['TypeScript', 'vitrine', 'vitrine', ''] as const
const FEATURE_QUERY = new GuestStruct({ index: 'u32', bits: 'u32' })
const START = new GuestStruct({ start: 'long' })

export const xenVersion: Hypercall = (call, { uuid }) => {
  const at = call.argument(1)
  const text = (value: string, bytes: number): number => {
    call.writeBytes(at, field(value, bytes))
    return 0
  }
  switch (call.argument32(0)) {
    case VERSION:
      return XEN_VERSION
    case EXTRA_VERSION:
      return text('.0-vitrine', 16)
    case COMPILE_INFO: {
      let offset = 0n
      COMPILER_BYTES.forEach((bytes, i) => {
        call.writeBytes(at + offset, field(COMPILER[i] ?? '', bytes))
        offset += BigInt(bytes)
      })
      return 0
    }
    case CAPABILITIES:
      return text('hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ', 1024)
    case CHANGESET:
      return text('', 64)
    case PLATFORM_PARAMETERS:
      // Start of the hypervisor's hole in the address space: HVM guests have none.
      call.writeField(START, at, 'start', 0n)
      return 0
    case GET_FEATURES:
      if (call.read(FEATURE_QUERY, at).index !== 0) refuse(EINVAL)
      call.writeField(FEATURE_QUERY, at, 'bits', FEATURES)
      return 0
    case PAGE_SIZE:
      return 0x1000
    case GUEST_HANDLE:
      call.writeBytes(at, uuid)
      return 0
    case COMMAND_LINE:
      return text('', 1024)
    case BUILD_ID:
      return refuse(ENODATA)
    default:
      return refuse(ENOSYS)
  }
}

function field(value: string, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes)
  out.set(new TextEncoder().encode(value).subarray(0, bytes - 1))
  return out
}
