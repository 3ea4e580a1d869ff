/** The DSDT of a board without legacy devices: virtio by MMIO, serial ports, the power button. ACPI 6.3, chapters 5.6.9 and 6. */
import * as aml from './aml'
import type { Aml } from './aml'

export interface MmioDevice {
  readonly address: number
  readonly bytes: number
  readonly gsi: number
}

export interface MicrovmDsdtOptions {
  readonly cpus: number
  /** Virtio devices by MMIO: LNRO0005, as Linux, BSDs and QEMU know them. */
  readonly virtio: readonly MmioDevice[]
  readonly serialPorts: readonly { readonly port: number; readonly gsi: number }[]
  /** Register of the events, 32 bits, and the line that announces them. */
  readonly events: { readonly address: number; readonly gsi: number; readonly powerButton: number }
}

const text = (key: string, value: string): Aml => aml.name(key, aml.text(value))
const uid = (n: number): Aml => aml.name('_UID', aml.integer(n))
const resources = (...descriptors: readonly Aml[]): Aml => aml.name('_CRS', aml.resourceTemplate(...descriptors))
const PRESENT = aml.name('_STA', aml.integer(0x0f))
const nameOf = (prefix: string, index: number): string => `${prefix}${index.toString(16).toUpperCase().padStart(2, '0')}`
/** Notification value of a pressed button: 5.6.6. */
const BUTTON_PRESSED = 0x80

/** The body of the table, without header. */
export function microvmDsdtBody({ cpus, virtio, serialPorts, events }: MicrovmDsdtOptions): Aml {
  const processors = Array.from({ length: cpus }, (_, i) => aml.device(nameOf('CP', i), text('_HID', 'ACPI0007'), uid(i)))
  const ports = serialPorts.map(({ port, gsi }, i) =>
    aml.device(`COM${i + 1}`, aml.name('_HID', aml.eisaId('PNP0501')), uid(i + 1), PRESENT, resources(aml.io(port, 8), aml.edgeInterrupt(gsi))),
  )
  const devices = virtio.map(({ address, bytes, gsi }, i) =>
    aml.device(nameOf('VR', i), text('_HID', 'LNRO0005'), uid(i), PRESENT, resources(aml.memory32Fixed(address, bytes, true), aml.interrupts(gsi))),
  )
  const button = aml.device('PWRB', aml.name('_HID', aml.eisaId('PNP0C0C')), uid(0))
  const eventDevice = aml.device(
    'GED_',
    text('_HID', 'ACPI0013'),
    uid(0),
    resources(aml.interrupts(events.gsi)),
    aml.operationRegion('EVRG', 0, events.address, 4),
    aml.dwordField('EVRG', 'EVTS'),
    aml.method(
      '_EVT',
      1,
      aml.store(aml.namePath('EVTS'), aml.LOCAL0),
      aml.ifThen(aml.and(aml.LOCAL0, aml.integer(events.powerButton)), aml.notify('\\_SB.PWRB', BUTTON_PRESSED)),
    ),
  )
  const softOff = aml.name('_S5_', aml.packageOf([aml.integer(5), aml.integer(0), aml.integer(0), aml.integer(0)]))
  return [...aml.scope('\\_SB', button, eventDevice, ...ports, ...devices, ...processors), ...softOff]
}
