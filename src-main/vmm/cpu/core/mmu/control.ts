/** A20 and the PDPTEs: what sits between control registers and the walk. */
import { A20_MASK, REG_CR3, STATUS_NEXT } from '../../layout'
import { PDPTES } from '../../layout-system'
import { raise_gp } from '../interrupt/raise'
import { PHYSICAL_ADDRESS_MASK } from '../system/bits'
import { a20, physical_read } from './physical'
import { flush_tlb } from './tlb'

/** Opens (1) or masks (0) the A20 gate. */
export function set_a20(vcpu: usize, enabled: i32): void {
  const mask: u32 = enabled ? 0xffffffff : 0xffefffff
  if (load<u32>(vcpu, A20_MASK) == mask) return
  store<u32>(vcpu, mask, A20_MASK)
  flush_tlb(vcpu)
}

/**
 * Loads the four PDPTEs that CR3 points to (SDM vol. 3A 4.4.1); #GP(0) and nothing changed when a present one has a reserved bit set.
 */
export function load_pdptes(vcpu: usize, cr3: u64): i32 {
  const table = cr3 & 0xffffffe0
  const reserved = ~(PHYSICAL_ADDRESS_MASK | 0xe19)
  for (let i: u64 = 0; i < 4; i++) {
    const entry = physical_read(vcpu, a20(vcpu, table + (i << 3)), 8)
    if (entry & 1 && entry & reserved) return raise_gp(vcpu, 0)
  }
  for (let i: usize = 0; i < 4; i++) {
    store<u64>(vcpu + (i << 3), physical_read(vcpu, a20(vcpu, table + (<u64>i << 3)), 8), PDPTES)
  }
  return STATUS_NEXT
}

/** Loads the PDPTEs of the current CR3 without checks, for a restored state. */
export function reload_pdptes(vcpu: usize): void {
  const table = load<u64>(vcpu, REG_CR3) & 0xffffffe0
  for (let i: usize = 0; i < 4; i++) {
    store<u64>(vcpu + (i << 3), physical_read(vcpu, a20(vcpu, table + (<u64>i << 3)), 8), PDPTES)
  }
}
