/**
 * A guest ends an interrupt without an access to its local APIC: the host sets a flag in the guest's memory when an interrupt is delivered whose end
 * nothing waits for, and the guest clears it instead of writing the EOI register.
 */
export interface EoiShortcut {
  /** Sets the flag, if the guest has set one up. */
  offer(): void
  /** true, once: the flag was set, and the guest has cleared it: the interrupt in service has ended. */
  taken(): boolean
  /** Clears the flag if it is set: the guest is to write the EOI register. */
  withdraw(): void
}
