/** The DSDT: what is on the board that an operating system cannot find out by itself. ACPI 6.3, chapters 6 and 19. */
import { PIRQ_IRQS } from '../bios/pci-setup'
import * as aml from './aml'
import type { Aml } from './aml'

export interface DsdtOptions {
  readonly cpus: number
  /** How many serial ports there are (at the usual places). */
  readonly serialPorts: number
}

const LINKS = ['LNKA', 'LNKB', 'LNKC', 'LNKD'] as const
const COM_RESOURCES: readonly (readonly [port: number, irq: number])[] = [[0x3f8, 4], [0x2f8, 3], [0x3e8, 4], [0x2e8, 3]]

const id = (pnp: string): Aml => aml.name('_HID', aml.eisaId(pnp))
const resources = (...descriptors: readonly Aml[]): Aml => aml.name('_CRS', aml.resourceTemplate(...descriptors))
const PRESENT = aml.name('_STA', aml.integer(0x0f))

/** Each slot's INTA# is one PIRQ further than that of the slot before. */
function routingTable(): Aml {
  const entries: Aml[] = []
  for (let slot = 1; slot < 32; slot++) {
    for (let pin = 0; pin < 4; pin++) {
      const link = LINKS[(slot - 1 + pin) & 3] ?? 'LNKA'
      entries.push(aml.packageOf([aml.integer(slot * 0x10000 + 0xffff), aml.integer(pin), aml.namePath(`\\_SB.${link}`), aml.integer(0)]))
    }
  }
  return aml.name('_PRT', aml.packageOf(entries))
}

/** An interrupt link over one of the PIIX's PIRQ registers: bits 0..3 the IRQ, bit 7 off. */
function linkDevice(index: number): Aml {
  const register = aml.namePath(`PRQ${index}`)
  const field = aml.namePath('IRQN')
  return aml.device(
    LINKS[index] ?? 'LNKA',
    id('PNP0C0F'),
    aml.name('_UID', aml.integer(index + 1)),
    aml.name('_PRS', aml.resourceTemplate(aml.interrupts(5, 10, 11))),
    aml.method('_STA', 0, aml.ifThen(aml.and(register, aml.integer(0x80)), aml.returnValue(aml.integer(0x09))), aml.returnValue(aml.integer(0x0b))),
    aml.method('_DIS', 0, aml.or(register, aml.integer(0x80), register)),
    aml.method(
      '_CRS',
      0,
      aml.name('BUFR', aml.resourceTemplate(aml.interrupts(0))),
      aml.createDwordField(aml.namePath('BUFR'), 5, 'IRQN'),
      aml.and(register, aml.integer(0x0f), field),
      aml.returnValue(aml.namePath('BUFR')),
    ),
    aml.method('_SRS', 1, aml.createDwordField(aml.ARG0, 5, 'IRQN'), aml.store(field, register)),
  )
}

function isaDevices(serialPorts: number): Aml[] {
  const ports = COM_RESOURCES.slice(0, serialPorts).map(([port, line], i) =>
    aml.device(`COM${i + 1}`, id('PNP0501'), aml.name('_UID', aml.integer(i + 1)), PRESENT, resources(aml.io(port, 8), aml.irq(line))),
  )
  return [
    aml.device('PIC_', id('PNP0000'), resources(aml.io(0x20, 2), aml.io(0xa0, 2), aml.io(0x4d0, 2), aml.irq(2))),
    aml.device('PIT_', id('PNP0100'), resources(aml.io(0x40, 4), aml.irq(0))),
    aml.device('RTC_', id('PNP0B00'), resources(aml.io(0x70, 2), aml.irq(8))),
    aml.device('SPKR', id('PNP0800'), resources(aml.io(0x61, 1))),
    aml.device('FPU_', id('PNP0C04'), resources(aml.io(0xf0, 1), aml.irq(13))),
    aml.device('KBD_', id('PNP0303'), PRESENT, resources(aml.io(0x60, 1), aml.io(0x64, 1), aml.irq(1))),
    aml.device('MOU_', id('PNP0F13'), PRESENT, resources(aml.irq(12))),
    ...ports,
  ]
}

/** The body of the table, without header. */
export function dsdtBody(options: DsdtOptions): Aml {
  const hostBridge = aml.device(
    'PCI0',
    id('PNP0A03'),
    aml.name('_BBN', aml.integer(0)),
    aml.name('_UID', aml.integer(1)),
    resources(
      aml.busNumbers(0, 0xff),
      aml.io(0xcf8, 8),
      aml.ioWindow(0, 0xcf7),
      aml.ioWindow(0xd00, 0xffff),
      aml.memoryWindow(0xa0000, 0xbffff, true),
      aml.memoryWindow(0xe0000000, 0xfebfffff, false),
    ),
    routingTable(),
    aml.device(
      'ISA_',
      aml.name('_ADR', aml.integer(0x10000)),
      aml.operationRegion('PIRQ', 2, 0x60, 4),
      ...isaDevices(options.serialPorts),
    ),
  )
  const fields = aml.scope('\\_SB', aml.byteFields('\\_SB.PCI0.ISA_.PIRQ', PIRQ_IRQS.map((_, i) => `PRQ${i}`)))
  const links = aml.scope('\\_SB', ...LINKS.map((_, i) => linkDevice(i)))
  const hpet = aml.device('HPET', id('PNP0103'), aml.name('_UID', aml.integer(0)), PRESENT, resources(aml.memory32Fixed(0xfed00000, 0x400, false)))
  const cpus = Array.from({ length: options.cpus }, (_, i) =>
    aml.device(`CP${i.toString(16).toUpperCase().padStart(2, '0')}`, aml.name('_HID', aml.text('ACPI0007')), aml.name('_UID', aml.integer(i))),
  )
  // SLP_TYP 0 turns the power off (S5); the working state is 1 by number, and nothing else is offered.
  const sleepStates = aml.name('_S5_', aml.packageOf([aml.integer(0), aml.integer(0), aml.integer(0), aml.integer(0)]))
  return [...aml.scope('\\_SB', hostBridge), ...fields, ...links, ...aml.scope('\\_SB', hpet, ...cpus), ...sleepStates]
}
