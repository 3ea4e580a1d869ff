/** One row per request; client, server and type tests are derived from it. */
import { z } from 'zod'
import type { RequestName } from './channels'
import { MAX_REGIONS, RegionDescription, RegionList } from './regions'
import { VmDescription, VmId, VmStats } from './state'

const vm = z.strictObject({ vm: VmId })
const nothing = z.undefined()

export interface RequestRow {
  readonly in: z.ZodType
  readonly out: z.ZodType
}

export const requests = {
  /** Every VM there is (one, for now). */
  'vm.describe': { in: nothing, out: z.array(VmDescription) },
  'vm.power-on': { in: vm, out: nothing },
  'vm.pause': { in: vm, out: nothing },
  'vm.resume': { in: vm, out: nothing },
  'vm.reset': { in: vm, out: nothing },
  /** Presses the power button: the guest decides. */
  'vm.shut-down-guest': { in: vm, out: nothing },
  'vm.power-off': { in: vm, out: nothing },
  'vm.stats': { in: vm, out: VmStats.optional() },
  /** The hottest regions of translated code; undefined: the VM is not on. */
  'vm.regions': { in: z.strictObject({ vm: VmId, count: z.number().int().min(1).max(MAX_REGIONS) }), out: RegionList.optional() },
  /** All about one of them; undefined: it is not there any more. */
  'vm.region': { in: z.strictObject({ vm: VmId, id: z.number().int().min(1) }), out: RegionDescription.optional() },
  /** Screen, keyboard and mouse: a port follows. An earlier port of the same stream ends. */
  'console.open': { in: vm, out: nothing },
  /** The first serial port: a port follows, with what was written lately. */
  'serial.open': { in: vm, out: nothing },
  /** While input is grabbed, keys belong to the guest: the menu's shortcuts rest. */
  'window.set-input-grabbed': { in: z.strictObject({ grabbed: z.boolean() }), out: nothing },
} as const satisfies Record<RequestName, RequestRow>

export type Requests = typeof requests
export type RequestInput<N extends RequestName> = z.infer<Requests[N]['in']>
export type RequestOutput<N extends RequestName> = z.infer<Requests[N]['out']>
