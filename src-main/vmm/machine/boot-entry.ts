/** Puts the vCPU where a directly booted image expects it. */
import type { Vcpu } from '../cpu/vcpu'
import type { BootEntry } from '../firmware/direct-boot'
import { gpa } from '../support/branded'
import type { GuestMemory } from '../memory/guest-memory'

/** A flat GDT as the boot protocols want it: 10h code, 18h data, at a place that no image is loaded to. */
const GDT_ADDRESS = 0x8000
const GDT_CODE_32 = 0x00cf9b000000ffffn
const GDT_CODE_64 = 0x00af9b000000ffffn
const GDT_DATA = 0x00cf93000000ffffn
const GDT_TSS = 0x00008b0000000067n
const STACK = 0x7000

export function enterImage(vcpu: Vcpu, memory: GuestMemory, entry: BootEntry): void {
  if (entry.mode === 'real') {
    // BIOS services stay: only where the processor is changes.
    vcpu.setReal(entry.cs, entry.ip)
    for (const name of ['ds', 'es', 'fs', 'gs', 'ss'] as const) vcpu.setSegment(name, entry.ds, 0x9300, entry.ds * 16, 0xffff)
    vcpu.setGpr32('rsp', entry.sp)
    // "Enter with interrupts disabled" (boot.rst, "Running the kernel").
    vcpu.rflags = 2
    return
  }
  const descriptors = [0n, 0n, entry.mode === 'long' ? GDT_CODE_64 : GDT_CODE_32, GDT_DATA, GDT_TSS, 0n]
  descriptors.forEach((descriptor, i) => memory.writeU64(gpa(GDT_ADDRESS + i * 8), descriptor))
  const flat = { cs: 0x10, ds: 0x18, tr: 0x20, gdt: { base: GDT_ADDRESS, limit: descriptors.length * 8 - 1 } }
  for (let register = 0; register < 16; register++) vcpu.setGpr(register, 0)
  vcpu.setGpr32('rsp', STACK)
  vcpu.rflags = 2
  if (entry.mode === 'long') {
    vcpu.setLong(entry.rip, entry.pageTables, flat)
    vcpu.setGpr('rsi', entry.rsi)
    return
  }
  vcpu.setProtectedFlat(entry.eip, flat)
  const names = { eax: 'rax', ebx: 'rbx', esi: 'rsi', esp: 'rsp', ebp: 'rbp', edi: 'rdi' } as const
  for (const [name, value] of Object.entries(entry.registers)) {
    if (name in names && value !== undefined) vcpu.setGpr32(names[name as keyof typeof names], value)
  }
}

/** Where the firmware put the ACPI root pointer (ACPI 6.3, 5.2.5.1), or 0. */
export function findRsdp(memory: GuestMemory): number {
  const signature = 0x2052545020445352n // "RSD PTR "
  for (const [first, last] of [[0x9fc00, 0xa0000], [0xe0000, 0x100000]] as const) {
    for (let at = first; at < last; at += 16) if (memory.readU64(gpa(at)) === signature) return at
  }
  return 0
}
