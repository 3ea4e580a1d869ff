/** How I/O APICs and local APICs reach each other: interrupt messages one way, end of interrupt the other. Intel SDM volume 3, 11.6 and 11.8. */

export const DELIVER_FIXED = 0
export const DELIVER_LOWEST_PRIORITY = 1
export const DELIVER_SMI = 2
export const DELIVER_NMI = 4
export const DELIVER_INIT = 5
export const DELIVER_STARTUP = 6
export const DELIVER_EXTINT = 7

const DELIVERY_NAMES = ['fixed', 'lowest priority', 'SMI', 'reserved', 'NMI', 'INIT', 'start-up', 'ExtINT'] as const

/** Of a delivery mode 0..7, as the manual calls it (SDM volume 3, 11.5.1). */
export function deliveryName(mode: number): string {
  return DELIVERY_NAMES[mode & 7] ?? 'reserved'
}

export const BROADCAST = 0xff

export interface InterruptMessage {
  readonly destination: number
  readonly logical: boolean
  /** DELIVER_* */
  readonly mode: number
  readonly vector: number
  readonly level: boolean
}

/** A local APIC. */
export interface ApicAgent {
  readonly apicId: number
  matchesLogical(destination: number): boolean
  /** Processor priority, for lowest-priority arbitration. */
  readonly processorPriority: number
  accept(mode: number, vector: number, level: boolean): void
}

/** An I/O APIC: hears the end of level-triggered interrupts. */
export interface EoiListener {
  endOfInterrupt(vector: number): void
}

export class ApicBus {
  private readonly agents: ApicAgent[] = []
  private readonly listeners: EoiListener[] = []
  /** Messages that reached nobody. */
  lost = 0

  addAgent(agent: ApicAgent): void {
    this.agents.push(agent)
  }

  addEoiListener(listener: EoiListener): void {
    this.listeners.push(listener)
  }

  send(message: InterruptMessage): void {
    this.deliver(
      this.agents.filter((agent) =>
        message.logical
          ? agent.matchesLogical(message.destination)
          : message.destination === BROADCAST || agent.apicId === message.destination,
      ),
      message,
    )
  }

  /** Destination shorthands of the interrupt command register. */
  sendToAll(message: InterruptMessage, except: ApicAgent | undefined): void {
    this.deliver(
      this.agents.filter((agent) => agent !== except),
      message,
    )
  }

  private deliver(targets: readonly ApicAgent[], { mode, vector, level }: InterruptMessage): void {
    const first = targets[0]
    if (first === undefined) {
      this.lost++
      return
    }
    if (mode === DELIVER_LOWEST_PRIORITY) {
      const chosen = targets.reduce((best, agent) => (agent.processorPriority < best.processorPriority ? agent : best), first)
      chosen.accept(DELIVER_FIXED, vector, level)
      return
    }
    for (const target of targets) target.accept(mode, vector, level)
  }

  endOfInterrupt(vector: number): void {
    for (const listener of this.listeners) listener.endOfInterrupt(vector)
  }
}
