/** The functions on PCI bus 0, as lspci shows them. */
import type { PciFunction } from '../../bus/pci/pci-function'

export interface PciFunctionView {
  /** "00:01.1" */
  readonly bdf: string
  readonly name: string
  /** Hexadecimal identities. */
  readonly vendor: string
  readonly device: string
  readonly class: string
  /** "INTA, line 11"; undefined: it has no interrupt pin. */
  readonly interrupt?: string
  readonly bars: readonly { readonly index: number; readonly kind: 'memory' | 'port'; readonly base: string; readonly bytes: number; readonly enabled: boolean }[]
}

const COMMAND_IO = 1
const COMMAND_MEMORY = 2
const CFG_INTERRUPT_LINE = 0x3c

export function pciFunctionViews(functions: readonly PciFunction[]): readonly PciFunctionView[] {
  return [...functions].sort((a, b) => a.slot - b.slot || a.fn - b.fn).map(functionView)
}

function functionView(target: PciFunction): PciFunctionView {
  const { name, slot, fn, device } = target
  const { vendorId, deviceId, classCode, interruptPin } = device.pciIdentity
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
  return {
    bdf: `00:${hex(slot, 2)}.${fn}`,
    name,
    vendor: hex(vendorId, 4),
    device: hex(deviceId, 4),
    class: hex(classCode, 6),
    ...(interruptPin === 0 ? {} : { interrupt: `INT${'ABCD'[interruptPin - 1] ?? ''}, line ${target.readByte(CFG_INTERRUPT_LINE)}` }),
    bars: device.pciBars.map((bar) => ({
      index: bar.index,
      kind: bar.kind === 'pio' ? 'port' : 'memory',
      base: `0x${hex(target.barAddress(bar.index), bar.kind === 'pio' ? 4 : 8)}`,
      bytes: bar.kind === 'ram' ? bar.block.bytes : bar.bytes,
      enabled: (target.command & (bar.kind === 'pio' ? COMMAND_IO : COMMAND_MEMORY)) !== 0,
    })),
  }
}
