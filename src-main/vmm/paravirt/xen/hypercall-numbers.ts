/** Hypercalls by their numbers: xen/include/public/xen.h. Those of classic PV guests have their names here too, for the statistics. */
export const HYPERCALL_NAMES: readonly string[] = [
  'set_trap_table', 'mmu_update', 'set_gdt', 'stack_switch', 'set_callbacks', 'fpu_taskswitch', 'sched_op_compat', 'platform_op', 'set_debugreg',
  'get_debugreg', 'update_descriptor', 'reserved', 'memory_op', 'multicall', 'update_va_mapping', 'set_timer_op', 'event_channel_op_compat', 'xen_version',
  'console_io', 'physdev_op_compat', 'grant_table_op', 'vm_assist', 'update_va_mapping_otherdomain', 'iret', 'vcpu_op', 'set_segment_base', 'mmuext_op',
  'xsm_op', 'nmi_op', 'sched_op', 'callback_op', 'xenoprof_op', 'event_channel_op', 'physdev_op', 'hvm_op', 'sysctl', 'domctl', 'kexec_op', 'tmem_op',
  'argo_op', 'xenpmu_op', 'dm_op', 'hypfs_op',
]
export const HC_IRET = 23

/** Stubs in a hypercall page: 32 bytes each. */
export const STUBS = 128
const STUB_BYTES = 32
const PAGE = 0x1000
const INT3 = 0xcc

/** MOV EAX, number; VMMCALL; RET. IRET is for classic PV only: UD2. */
export function hypercallPage(): Uint8Array {
  const page = new Uint8Array(PAGE).fill(INT3)
  for (let number = 0; number < STUBS; number++) {
    const at = number * STUB_BYTES
    page.set(number === HC_IRET ? [0x0f, 0x0b] : [0xb8, number, 0, 0, 0, 0x0f, 0x01, 0xd9, 0xc3], at)
  }
  return page
}
