import type { Claim } from '../devices/device'
import type { MmioBus } from './mmio-bus'
import type { PioBus } from './pio-bus'

/** Puts a device's fixed claims on the buses. */
export function attachClaims(pio: PioBus, mmio: MmioBus, device: { readonly name: string; readonly claims: readonly Claim[] }): void {
  for (const claim of device.claims) {
    if (claim.kind === 'pio') pio.claim(device.name, claim)
    else mmio.claim(device.name, claim)
  }
}
