import { describe, expect, it } from 'vitest'
import { RecordingLine } from '../../testing/fake-clock'
import { BAD_WIDTH, NO_REGISTER } from '../device'
import { AcpiGed } from './acpi-ged'
import * as reg from './registers'

function make(): { ged: AcpiGed; irq: RecordingLine; calls: string[] } {
  const irq = new RecordingLine()
  const calls: string[] = []
  const ged = new AcpiGed({ irq, requestPowerOff: () => calls.push('off'), requestReset: () => calls.push('reset') })
  return { ged, irq, calls }
}

describe('generic event device', () => {
  it('holds its line until the guest has read which button was pressed', () => {
    const { ged, irq } = make()
    ged.pressPowerButton()
    expect(irq.level).toBe(true)
    expect(ged.mmioRead(reg.REG_EVENTS, 4)).toBe(reg.EVENT_POWER_BUTTON)
    expect(irq.level).toBe(false)
    expect(ged.mmioRead(reg.REG_EVENTS, 4)).toBe(0)
  })

  it('turns the power off for S5 with SLP_EN, and for nothing else', () => {
    const { ged, calls } = make()
    ged.mmioWrite(reg.REG_SLEEP_CONTROL, 1, reg.SLEEP_TYPE_S5 << reg.SLEEP_TYPE_SHIFT)
    ged.mmioWrite(reg.REG_SLEEP_CONTROL, 1, reg.SLEEP_ENABLE | (3 << reg.SLEEP_TYPE_SHIFT))
    expect(calls).toEqual([])
    ged.mmioWrite(reg.REG_SLEEP_CONTROL, 1, reg.SLEEP_ENABLE | (reg.SLEEP_TYPE_S5 << reg.SLEEP_TYPE_SHIFT))
    expect(calls).toEqual(['off'])
    expect(ged.mmioRead(reg.REG_SLEEP_CONTROL, 1)).toBe(reg.SLEEP_TYPE_S5 << reg.SLEEP_TYPE_SHIFT)
  })

  it('resets by its register', () => {
    const { ged, calls } = make()
    ged.mmioWrite(reg.REG_RESET, 1, 0)
    ged.mmioWrite(reg.REG_RESET, 1, reg.RESET_VALUE)
    expect(calls).toEqual(['reset'])
  })

  it('refuses other widths and places', () => {
    const { ged } = make()
    expect(ged.mmioRead(reg.REG_EVENTS, 1)).toBe(BAD_WIDTH)
    expect(ged.mmioRead(0x100, 1)).toBe(NO_REGISTER)
    expect(ged.mmioWrite(0x100, 1, 0)).toBe(NO_REGISTER)
    expect(ged.mmioWrite(reg.REG_EVENTS, 4, 0)).toBe(BAD_WIDTH)
  })

  it('comes back with a pressed button', () => {
    const { ged } = make()
    ged.pressPowerButton()
    const other = make()
    other.ged.load(ged.save())
    expect(other.irq.level).toBe(true)
    other.ged.reset()
    expect(other.irq.level).toBe(false)
  })
})
