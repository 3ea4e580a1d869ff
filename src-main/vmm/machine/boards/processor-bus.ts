/** What a vCPU's accesses and interrupts go through: its local APIC. */
import { allOnes } from '../../bus/access-counters'
import type { Lapic } from '../../devices/lapic/lapic'
import { DELIVER_FIXED } from '../../irq/apic-bus'
import type { ProcessorBus } from '../machine-io'

/** `floatError`: FERR#; false: nobody listens, it is #MF. */
export function processorBusOf(lapic: Lapic, floatError: () => boolean): ProcessorBus {
  return {
    acknowledgeInterrupt: () => lapic.acknowledge(),
    readTaskPriority: () => lapic.taskPriority,
    writeTaskPriority: (value) => {
      lapic.taskPriority = value
    },
    readMsr: (index) => lapic.readMsr(index),
    writeMsr: (index, low, high) => lapic.writeMsr(index, low, high),
    hypercall: () => 'undefined',
    floatError,
    interrupt: (vector) => lapic.accept(DELIVER_FIXED, vector, false),
    setEoiShortcut: (shortcut) => {
      lapic.eoiShortcut = shortcut
    },
    setDirectInterrupt: (vector) => {
      lapic.direct = vector
    },
    directInterruptChanged: () => lapic.directChanged(),
    readLocal: (address, width) => {
      if (!lapic.windowContains(address)) return undefined
      const value = lapic.mmioRead(address - lapic.base, width)
      return typeof value === 'number' ? value : allOnes(width)
    },
    writeLocal: (address, width, value) => {
      if (!lapic.windowContains(address)) return false
      lapic.mmioWrite(address - lapic.base, width, value)
      return true
    },
  }
}
