/** Everything volatile but the place of the register block, which lies in config space (saved by the PCI bus). */
export interface AcpiPmState {
  pm1Status: number
  pm1Enable: number
  pm1Control: number
  gpeStatus: number
  gpeEnable: number
  apmControl: number
  apmStatus: number
  /** Tick of the PM timer at which its top bit changes next (or changed, while TMR_STS is not cleared). */
  overflowTick: number
}

export interface AcpiPmStateV1 extends Readonly<AcpiPmState> {
  readonly schema: readonly ['acpi-pm', 1]
  readonly deadline: number | null
}
