/** Guest-physical memory: RAM and ROM through the physmap, everything else through the host's MMIO bus. */
import {
  A20_MASK,
  DIRTY_MAP,
  PHYSMAP,
  PHYSMAP_PAGES,
  PHYS_CODE,
  PHYS_READ,
  PHYS_WRITE,
} from '../../layout'
import { COUNT_MMIO, NO_DEVICES } from '../../layout-system'
import { invalidate_code } from '../decode/index'
import { mmio_read, mmio_write } from '../host'

/** Applies the A20 gate: it masks bit 20 of every address, also above 4 GiB, as the chipset's pin does. */
// @ts-ignore: decorator
@inline
export function a20(vcpu: usize, gpa: u64): u64 {
  return gpa & (0xffffffff00000000 | <u64>load<u32>(vcpu, A20_MASK))
}

/** The physmap's entry of an address (after A20): host page | PHYS_* flags, or 0 where there is no memory. */
// @ts-ignore: decorator
@inline
export function physmap_entry(gpa: u64): u32 {
  const page = gpa >> 12
  return page < <u64>PHYSMAP_PAGES ? load<u32>(<usize>PHYSMAP + (<usize>page << 2)) : 0
}

// @ts-ignore: decorator
@inline
export function host_page(entry: u32): u32 {
  return entry & 0xfffff000
}

// @ts-ignore: decorator
@inline
export function mark_dirty(hostPage: u32): void {
  store<u8>(<usize>DIRTY_MAP + (<usize>hostPage >> 12), 1)
}

/** The largest naturally aligned piece (1, 2 or 4) that starts at the address and fits. */
// @ts-ignore: decorator
@inline
function piece(gpa: u64, bytes: i32): i32 {
  if (bytes >= 4 && (gpa & 3) == 0) return 4
  if (bytes >= 2 && (gpa & 1) == 0) return 2
  return 1
}

function count_mmio(vcpu: usize): void {
  store<u64>(vcpu, load<u64>(vcpu, COUNT_MMIO) + 1, COUNT_MMIO)
}

/** Reads 1..8 bytes that lie in one page. `gpa` has A20 applied. */
export function physical_read(vcpu: usize, gpa: u64, bytes: i32): u64 {
  const entry = physmap_entry(gpa)
  if (entry & PHYS_READ) {
    const at = <usize>(host_page(entry) | (<u32>gpa & 0xfff))
    switch (bytes) {
      case 1:
        return load<u8>(at)
      case 2:
        return load<u16>(at)
      case 4:
        return load<u32>(at)
      case 8:
        return load<u64>(at)
    }
    let value: u64 = 0
    for (let i = 0; i < bytes; i++) value |= <u64>load<u8>(at + i) << (i << 3)
    return value
  }
  if (load<u32>(vcpu, NO_DEVICES)) return 0
  count_mmio(vcpu)
  let value: u64 = 0
  let done = 0
  while (done < bytes) {
    const width = piece(gpa + done, bytes - done)
    let part = mmio_read(vcpu, <f64>(gpa + done), width)
    if (width < 4) part &= (1 << (width << 3)) - 1
    value |= <u64>part << (done << 3)
    done += width
  }
  return value
}

/** Writes 1..8 bytes that lie in one page: marks the page dirty, drops decoded code it hits. What is no writable memory, ROM too,
 * goes to the bus, which counts it or knows better (write-only shadow RAM). `gpa` has A20 applied. */
export function physical_write(vcpu: usize, gpa: u64, value: u64, bytes: i32): void {
  const entry = physmap_entry(gpa)
  if (entry & PHYS_WRITE) {
    const page = host_page(entry)
    mark_dirty(page)
    const at = <usize>(page | (<u32>gpa & 0xfff))
    switch (bytes) {
      case 1:
        store<u8>(at, <u8>value)
        break
      case 2:
        store<u16>(at, <u16>value)
        break
      case 4:
        store<u32>(at, <u32>value)
        break
      case 8:
        store<u64>(at, value)
        break
      default:
        for (let i = 0; i < bytes; i++) store<u8>(at + i, <u8>(value >> (i << 3)))
    }
    if (entry & PHYS_CODE) invalidate_code(vcpu, gpa, bytes)
    return
  }
  count_mmio(vcpu)
  let done = 0
  while (done < bytes) {
    const width = piece(gpa + done, bytes - done)
    let part = <u32>(value >> (done << 3))
    if (width < 4) part &= (1 << (width << 3)) - 1
    mmio_write(vcpu, <f64>(gpa + done), width, part)
    done += width
  }
}

/** Guest-physical access for devices inside the core and tests: applies A20, splits at the page's end. */
export function phys_read(vcpu: usize, gpa: u64, bytes: i32): u64 {
  const first = 4096 - (<i32>gpa & 0xfff)
  if (bytes <= first) return physical_read(vcpu, a20(vcpu, gpa), bytes)
  const low = physical_read(vcpu, a20(vcpu, gpa), first)
  return low | (physical_read(vcpu, a20(vcpu, gpa + first), bytes - first) << (first << 3))
}

export function phys_write(vcpu: usize, gpa: u64, value: u64, bytes: i32): void {
  const first = 4096 - (<i32>gpa & 0xfff)
  if (bytes <= first) {
    physical_write(vcpu, a20(vcpu, gpa), value, bytes)
    return
  }
  physical_write(vcpu, a20(vcpu, gpa), value, first)
  physical_write(vcpu, a20(vcpu, gpa + first), value >> (first << 3), bytes - first)
}
