/** CPUID leaves of Xen for HVM and PVH guests: xen/include/public/arch-x86/cpuid.h. */
import type { CpuidEntry } from '../../cpu/cpuid'
import { signatureLeaf } from '../signature-leaf'
import { GUEST_DOMAIN } from './domains'

const FIRST = 0x40000000
export const MSR_HYPERCALL_PAGE = 0x40000000
/** Major and minor number of the interface that is kept. */
export const XEN_VERSION: number = (4 << 16) | 17

const VCPU_ID_PRESENT = 1 << 3
const DOMID_PRESENT = 1 << 4
const UPCALL_VECTOR = 1 << 6
const TSC_RELIABLE = 1 << 1
/** The TSC is never emulated: it ticks on under the guest. */
const TSC_MODE_NATIVE = 2
const TSC_KHZ = 1_000_000
/** Multiplier and shift that turn a nanosecond's tick into a nanosecond. */
const TSC_TO_NS = { multiplier: 0x80000000, shift: 1 } as const

export const XEN_LEAVES: readonly CpuidEntry[] = [
  signatureLeaf('XenVMMXenVMM', FIRST + 4),
  { leaf: FIRST + 1, eax: XEN_VERSION, ebx: 0, ecx: 0, edx: 0 },
  { leaf: FIRST + 2, eax: 1, ebx: MSR_HYPERCALL_PAGE, ecx: 0, edx: 0 },
  { leaf: FIRST + 3, subleaf: 0, eax: TSC_RELIABLE, ebx: TSC_MODE_NATIVE, ecx: TSC_KHZ, edx: 0 },
  { leaf: FIRST + 3, subleaf: 1, eax: 0, ebx: 0, ecx: TSC_TO_NS.multiplier, edx: TSC_TO_NS.shift },
  { leaf: FIRST + 3, subleaf: 2, eax: TSC_KHZ, ebx: 0, ecx: 0, edx: 0 },
  { leaf: FIRST + 4, eax: VCPU_ID_PRESENT | DOMID_PRESENT | UPCALL_VECTOR, ebx: 0, ecx: GUEST_DOMAIN, edx: 0 },
]
