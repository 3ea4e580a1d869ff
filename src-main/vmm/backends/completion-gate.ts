/** How host I/O that finishes later comes back into a machine. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error }

/**
 * The one gate through which everything that the host does asynchronously enters a machine. Devices start work through it; `done` runs on the
 * machine's thread, between two instructions, never from inside submit(). Under InstructionClock the moment is a function of retired instructions
 * (a modelled latency), so that runs repeat exactly; under HostClock it is as soon as the host is done.
 */
export interface CompletionGate {
  /** `bytes` moved, for the modelled latency. */
  submit<T>(label: string, bytes: number, work: () => Promise<T>, done: (outcome: Outcome<T>) => void): void
}
