import type { SavedState } from '../device'

export interface AcpiGedState extends SavedState {
  readonly schema: readonly ['acpi-ged', 1]
  readonly events: number
  readonly sleepControl: number
}
