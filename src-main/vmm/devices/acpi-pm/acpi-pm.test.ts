import { describe, expect, it } from 'vitest'
import { MmioBus } from '../../bus/mmio-bus'
import { PioBus } from '../../bus/pio-bus'
import { describeDevice } from '../../testing/describe-device'
import { FakeClock, RecordingLine } from '../../testing/fake-clock'
import { AcpiPm } from './acpi-pm'
import { attachClaims } from '../../bus/attach'

function ready(): { pm: AcpiPm; clock: FakeClock; sci: RecordingLine; offs: () => number; pio: PioBus } {
  const clock = new FakeClock()
  const sci = new RecordingLine()
  const pio = new PioBus()
  let count = 0
  const pm = new AcpiPm(clock, {
    sci,
    requestPowerOff: () => count++,
    mapPorts: (name, first, bytes, handler) => pio.mapDynamic(name, first, bytes, handler),
    timerBits: 24,
  })
  attachClaims(pio, new MmioBus(), pm)
  return { pm, clock, sci, offs: () => count, pio }
}

describeDevice(
  'acpi-pm',
  () => {
    const { pm, clock } = ready()
    return { device: pm, clock, moreClaims: [{ kind: 'pio', name: 'pm', first: 0, last: 0x3f, handler: pm.pmPorts }] }
  },
  ({ device, clock }) => {
    if (!(device instanceof AcpiPm)) return
    device.pmPorts.pioWrite(2, 2, 0x101)
    device.pioWrite(0xb2, 1, 0xf1)
    clock?.advance(1_000_000)
    device.pressPowerButton()
  },
)

describe('AcpiPm', () => {
  it('raises the SCI for an enabled power button once ACPI is on', () => {
    const { pm, pio, sci } = ready()
    pio.write(0xb002, 2, 0x100)
    pm.pressPowerButton()
    expect(sci.level).toBe(false)
    pio.write(0xb2, 1, 0xf1)
    expect(pio.read(0xb004, 2)).toBe(1)
    expect(sci.level).toBe(true)
    expect(pio.read(0xb000, 2)).toBe(0x100)
    pio.write(0xb000, 2, 0x100)
    expect(sci.level).toBe(false)
  })

  it('goes off by SLP_TYP and SLP_EN', () => {
    const { pio, offs } = ready()
    pio.write(0xb004, 2, 0x2400)
    expect(offs()).toBe(0)
    pio.write(0xb004, 2, 0x2001)
    expect(offs()).toBe(1)
  })

  it('counts at 3.579545 MHz, with a status bit every half turn', () => {
    const { pio, clock, sci } = ready()
    clock.advance(1_000_000_000)
    expect(pio.read(0xb008, 4)).toBe(3_579_545)
    pio.write(0xb2, 1, 0xf1)
    pio.write(0xb002, 2, 1)
    clock.advance(1_300_000_000)
    expect(sci.level).toBe(false)
    clock.advance(100_000_000)
    expect(sci.level).toBe(true)
    pio.write(0xb000, 2, 1)
    expect(sci.level).toBe(false)
    clock.advance(2_400_000_000)
    expect(sci.level).toBe(true)
  })

  it('moves with config 40h and 80h', () => {
    const { pm, pio } = ready()
    pm.pciConfigChanged(0x41, 0x06)
    expect(pio.read(0xb008, 4)).toBe(0xffffffff)
    expect(pio.read(0x608, 4)).toBe(0)
    pm.pciConfigChanged(0x80, 0)
    expect(pio.read(0x608, 4)).toBe(0xffffffff)
  })

  it('general-purpose events', () => {
    const { pm, pio, sci } = ready()
    pio.write(0xb2, 1, 0xf1)
    pio.write(0xafe2, 2, 0x0004)
    pm.raiseGpe(2)
    expect(sci.level).toBe(true)
    pio.write(0xafe0, 1, 4)
    expect(sci.level).toBe(false)
  })
})
