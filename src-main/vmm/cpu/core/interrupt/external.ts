/** Interrupt requests from outside, software interrupts, HLT. */
import {
  ATTENTION,
  ATTENTION_INTR,
  ATTENTION_NMI,
  ATTENTION_SHADOW,
  CPL,
  EXIT_HALT,
  EXIT_REASON,
  HALTED,
  NMI_BLOCKED,
  REG_EFLAGS,
  STATUS_EXIT,
  STATUS_JUMP,
  STATUS_NEXT,
} from '../../layout'
import { COUNT_INTERRUPTS } from '../../layout-system'
import { acknowledge_interrupt } from '../host'
import { code64 } from '../segment/derived'
import { EXCEPTION_BP, EXCEPTION_DB, EXCEPTION_NMI, EXCEPTION_OF, FLAG_IF, FLAG_OF } from '../system/bits'
import { in_v86, iopl, status_flags } from '../system/flags'
import { deliver_external, deliver_software, SOURCE_INT1, SOURCE_SOFTWARE } from './deliver'
import { raise_gp, raise_ud } from './raise'

/** May a maskable interrupt be taken now? (The caller looks at ATTENTION_INTR.) */
export function interruptible(vcpu: usize): i32 {
  return (load<u32>(vcpu, REG_EFLAGS) & FLAG_IF) != 0 && (load<i32>(vcpu, ATTENTION) & ATTENTION_SHADOW) == 0 ? 1 : 0
}

/**
 * Takes the maskable interrupt that ATTENTION_INTR announces, when it may be taken. STATUS_NEXT: nothing happened; STATUS_JUMP: at the handler;
 * STATUS_EXIT: triple fault. Devices keep ATTENTION_INTR as the level of the request.
 */
export function take_interrupt(vcpu: usize): i32 {
  if (!interruptible(vcpu)) return STATUS_NEXT
  const vector = acknowledge_interrupt(vcpu)
  if (vector < 0) {
    store<i32>(vcpu, load<i32>(vcpu, ATTENTION) & ~ATTENTION_INTR, ATTENTION)
    return STATUS_NEXT
  }
  store<u64>(vcpu, load<u64>(vcpu, COUNT_INTERRUPTS) + 1, COUNT_INTERRUPTS)
  return deliver_external(vcpu, vector & 0xff)
}

/** Takes a pending NMI unless one is being handled; as take_interrupt. IRET unblocks. */
export function take_nmi(vcpu: usize): i32 {
  const attention = load<i32>(vcpu, ATTENTION)
  if (!(attention & ATTENTION_NMI) || attention & ATTENTION_SHADOW || load<i32>(vcpu, NMI_BLOCKED)) return STATUS_NEXT
  store<i32>(vcpu, attention & ~ATTENTION_NMI, ATTENTION)
  store<i32>(vcpu, 1, NMI_BLOCKED)
  return deliver_external(vcpu, EXCEPTION_NMI)
}

/** Would a halted vCPU go on? */
export function wake(vcpu: usize): i32 {
  if (!load<i32>(vcpu, HALTED)) return 1
  const attention = load<i32>(vcpu, ATTENTION)
  if (attention & ATTENTION_NMI && !load<i32>(vcpu, NMI_BLOCKED)) return 1
  return attention & ATTENTION_INTR && load<u32>(vcpu, REG_EFLAGS) & FLAG_IF ? 1 : 0
}

// ---- instructions -------------------------------------------------------------------------------------------------------------------

/** INT n: in virtual-8086 mode it needs IOPL 3. */
export function int_n(vcpu: usize, vector: i32): i32 {
  if (in_v86(vcpu) && iopl(vcpu) < 3) return raise_gp(vcpu, 0)
  return deliver_software(vcpu, vector & 0xff, SOURCE_SOFTWARE)
}

export function int3(vcpu: usize): i32 {
  return deliver_software(vcpu, EXCEPTION_BP, SOURCE_SOFTWARE)
}

export function into(vcpu: usize): i32 {
  if (code64(vcpu)) return raise_ud(vcpu)
  return status_flags(vcpu) & FLAG_OF ? deliver_software(vcpu, EXCEPTION_OF, SOURCE_SOFTWARE) : STATUS_NEXT
}

/** INT1 (F1h). */
export function int1(vcpu: usize): i32 {
  return deliver_software(vcpu, EXCEPTION_DB, SOURCE_INT1)
}

export function hlt(vcpu: usize): i32 {
  return load<i32>(vcpu, CPL) ? raise_gp(vcpu, 0) : halt(vcpu)
}

/** Waits for an interrupt, from the next instruction on. */
export function halt(vcpu: usize): i32 {
  store<i32>(vcpu, 1, HALTED)
  if (wake(vcpu) && !(load<i32>(vcpu, ATTENTION) & ATTENTION_SHADOW)) {
    // The request is there already: no need to go through the host.
    store<i32>(vcpu, 0, HALTED)
    return STATUS_JUMP
  }
  store<i32>(vcpu, EXIT_HALT, EXIT_REASON)
  return STATUS_EXIT
}

/**
 * Between two instructions of a region, with something in ATTENTION: may the next one run? A shadow by itself ends with it, as the run loop has it; a masked
 * request waits until interrupts are enabled.
 */
export function region_resumes(vcpu: usize): i32 {
  const attention = load<i32>(vcpu, ATTENTION)
  if (attention == ATTENTION_SHADOW) {
    store<i32>(vcpu, 0, ATTENTION)
    return 1
  }
  return attention == ATTENTION_INTR && !(load<u32>(vcpu, REG_EFLAGS) & FLAG_IF) ? 1 : 0
}
