/** What KVM offers its guests, by the bits of CPUID 4000_0001h EAX; each can be left out. */
export const KVM_FEATURES = ['clock', 'clock-old', 'clock-stable', 'no-io-delay', 'steal-time', 'pv-eoi', 'poll-control', 'clock-pairing'] as const
export type KvmFeature = (typeof KVM_FEATURES)[number]

/**
 * clock-pairing is a hypercall without a bit. Not offered: asynchronous page faults (no page of a guest is ever elsewhere), and, with one processor,
 * unhalt, TLB flushes, IPIs and yielding.
 */
const BITS: Readonly<Record<KvmFeature, number | undefined>> = {
  'clock-old': 0, 'no-io-delay': 1, clock: 3, 'steal-time': 5, 'pv-eoi': 6, 'poll-control': 12, 'clock-stable': 24, 'clock-pairing': undefined,
}

export function featureBits(features: ReadonlySet<KvmFeature>): number {
  let bits = 0
  for (const feature of features) {
    const bit = BITS[feature]
    if (bit !== undefined) bits |= 1 << bit
  }
  return bits >>> 0
}
