/** What the core asks of the machine around it. Implemented by the engine over CpuIo (cpu/engine.ts). */

/** Port read of 1, 2 or 4 bytes, zero-extended. */
// @ts-ignore: decorator
@external('host', 'pio_read')
export declare function pio_read(vcpu: usize, port: u32, width: u32): u32
// @ts-ignore: decorator
@external('host', 'pio_write')
export declare function pio_write(vcpu: usize, port: u32, width: u32, value: u32): void
/** Naturally aligned access of 1, 2 or 4 bytes to something that is not memory. The address is an integer below 2^52. */
// @ts-ignore: decorator
@external('host', 'mmio_read')
export declare function mmio_read(vcpu: usize, gpa: f64, width: u32): u32
// @ts-ignore: decorator
@external('host', 'mmio_write')
export declare function mmio_write(vcpu: usize, gpa: f64, width: u32, value: u32): void
/** Time-stamp counter ticks since power-on, without the guest's offset. */
// @ts-ignore: decorator
@external('host', 'read_tsc')
export declare function read_tsc(vcpu: usize): f64
/** Vector of the highest request (interrupt acknowledge cycle), or -1. */
// @ts-ignore: decorator
@external('host', 'acknowledge_interrupt')
export declare function acknowledge_interrupt(vcpu: usize): i32
// @ts-ignore: decorator
@external('host', 'read_task_priority')
export declare function read_task_priority(vcpu: usize): u32
// @ts-ignore: decorator
@external('host', 'write_task_priority')
export declare function write_task_priority(vcpu: usize, value: u32): void
/** 1: the value is at vcpu + SCRATCH (low u32, high u32 at +4); 0: no such MSR. */
// @ts-ignore: decorator
@external('host', 'read_msr')
export declare function read_msr(vcpu: usize, index: u32): i32
/** 1: done; 0: no such MSR or a bad value. */
// @ts-ignore: decorator
@external('host', 'write_msr')
export declare function write_msr(vcpu: usize, index: u32, low: u32, high: u32): i32
/** FERR#: an x87 instruction meets a pending exception while CR0.NE is clear. 0: nobody listens, it is #MF. */
// @ts-ignore: decorator
@external('host', 'float_error')
export declare function float_error(vcpu: usize): i32
/** VMCALL or VMMCALL; HYPERCALL_*. Arguments and results are in the vCPU's registers. */
// @ts-ignore: decorator
@external('host', 'call_hypervisor')
export declare function call_hypervisor(vcpu: usize): i32
/** An opcode that raises #UD because nothing implements it; `opcode` as in REC_OPCODE. */
// @ts-ignore: decorator
@external('host', 'unknown_opcode')
export declare function unknown_opcode(vcpu: usize, opcode: u32): void
/** The interpreter has run the block with header `block` HOT_THRESHOLD times. */
// @ts-ignore: decorator
@external('host', 'region_wanted')
export declare function region_wanted(vcpu: usize, block: u32): void
/** Decoded code of a CODE_PAGE_WATCHED page was dropped: the blocks, and what was written, lie within these bytes. 0 bytes: all decoded code. */
// @ts-ignore: decorator
@external('host', 'code_dropped')
export declare function code_dropped(gpa: f64, bytes: u32): void
/** A block of a region, with code of `key` (CODE_KEY), does not find the x87's stack as it expects it. */
// @ts-ignore: decorator
@external('host', 'block_refused')
export declare function block_refused(gpa: f64, key: u32): void
