/** What sits at the other end of one of the controller's two serial links. */
export interface Ps2Device {
  /** A byte from the host. */
  receive(byte: number): void
  /** Takes the next byte for the host, or undefined when there is none. */
  take(): number | undefined
  readonly hasData: boolean
}
