/** The I/O permission bitmap. SDM vol. 1 19.5.2. */
import { CPL, REG_CR0, SEG_ACCESS, SEG_BASE, SEG_LIMIT, SEG_TR, STATUS_FAULT, STATUS_NEXT } from '../../layout'
import { raise_gp } from '../interrupt/raise'
import { read_system_u16 } from '../mmu/access'
import { faulted, segment } from '../segment/derived'
import { ACCESS_P, CR0_PE } from '../system/bits'
import { in_v86, iopl } from '../system/flags'
import { OPEN_PORTS } from '../../layout-system'

/** May the running code access `bytes` ports from `port` on? #GP(0) otherwise. */
export function io_check(vcpu: usize, port: u32, bytes: i32): i32 {
  if (!(load<u64>(vcpu, REG_CR0) & CR0_PE)) return STATUS_NEXT
  if (!in_v86(vcpu) && load<i32>(vcpu, CPL) <= iopl(vcpu)) return STATUS_NEXT
  const open = load<u32>(vcpu, OPEN_PORTS)
  if (open && (port & 0xffff) >= (open & 0xffff) && (port & 0xffff) + <u32>bytes - 1 <= open >> 16) return STATUS_NEXT
  const tr = segment(vcpu, SEG_TR)
  const access = load<u32>(tr, SEG_ACCESS)
  const limit = load<u32>(tr, SEG_LIMIT)
  // Only the 32-bit (and 64-bit) TSS has a bitmap.
  if (!(access & ACCESS_P) || !(access & 0x800) || limit < 0x67) return raise_gp(vcpu, 0)
  const base = load<u64>(tr, SEG_BASE)
  const map = read_system_u16(vcpu, base + 0x66)
  if (faulted(vcpu)) return STATUS_FAULT
  const at = map + ((port & 0xffff) >> 3)
  // Two bytes are always read, so the map ends with a byte of ones.
  if (at + 1 > limit) return raise_gp(vcpu, 0)
  const bits = read_system_u16(vcpu, base + at)
  if (faulted(vcpu)) return STATUS_FAULT
  const mask: u32 = ((1 << bytes) - 1) << (port & 7)
  return bits & mask ? raise_gp(vcpu, 0) : STATUS_NEXT
}
