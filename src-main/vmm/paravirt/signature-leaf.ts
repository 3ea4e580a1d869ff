/** CPUID leaves that hypervisors have in common: 4000_0000h, the highest leaf and the signature; 4000_0010h, frequencies (VMware's, which others took over). */
import type { CpuidEntry } from '../cpu/cpuid'

export const HYPERVISOR_LEAVES = 0x40000000
export const TIMING_LEAF = 0x40000010
/** One tick of the TSC a nanosecond. */
const TSC_KHZ = 1_000_000

const word = (text: string, at: number): number =>
  (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8) | (text.charCodeAt(at + 2) << 16) | (text.charCodeAt(at + 3) << 24)) >>> 0

/** `signature`: up to 12 characters, filled up with zeros; `last`: the highest leaf that there is. */
export function signatureLeaf(signature: string, last: number, first: number = HYPERVISOR_LEAVES): CpuidEntry {
  const text = signature.padEnd(12, '\0')
  return { leaf: first, eax: last, ebx: word(text, 0), ecx: word(text, 4), edx: word(text, 8) }
}

/** EAX: the TSC's frequency in kHz; EBX: that of the local APIC's timer. */
export function timingLeaf(apicTickNs: number): CpuidEntry {
  return { leaf: TIMING_LEAF, eax: TSC_KHZ, ebx: Math.round(1e6 / apicTickNs), ecx: 0, edx: 0 }
}
