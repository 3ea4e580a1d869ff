/** The 8259 pair for people. Intel 8259A data sheet (231468): registers and their names. */
import { hexText, type ControllerInput, type ControllerView } from '../controller-view'
import { CASCADE_PIN } from './registers'
import type { PicChipState, PicStateV1 } from './state'

const PINS = 8

export function picView({ master, slave }: PicStateV1): ControllerView {
  const rows = [
    ...chipRows('master', master),
    ...chipRows('slave', slave),
  ]
  return { name: 'pic-8259', rows, inputs: [...chipInputs(master, 0), ...chipInputs(slave, PINS)] }
}

function chipRows(name: string, chip: PicChipState): ControllerView['rows'] {
  const modes = [chip.autoEoi ? 'automatic EOI' : '', chip.specialMask ? 'special mask' : '', chip.specialFullyNested ? 'special fully nested' : '', chip.nextIcw !== 0 ? `waits for ICW${chip.nextIcw}` : '']
  const named = modes.filter((mode) => mode !== '').join(', ')
  return [
    { name: `${name} IRR`, value: hexText(chip.irr, 2) },
    { name: `${name} ISR`, value: hexText(chip.isr, 2) },
    { name: `${name} IMR`, value: hexText(chip.imr, 2) },
    { name: `${name} ELCR`, value: hexText(chip.elcr, 2) },
    { name: `${name} mode`, value: named === '' ? 'fully nested' : named },
  ]
}

function chipInputs(chip: PicChipState, first: number): readonly ControllerInput[] {
  return Array.from({ length: PINS }, (_, pin) => {
    const bit = 1 << pin
    const inService = (chip.isr & bit) !== 0
    const kind = chip.ltim || (chip.elcr & bit) !== 0 ? 'level' : 'edge'
    const cascade = first === 0 && pin === CASCADE_PIN
    return {
      input: first + pin,
      vector: cascade ? '' : hexText(chip.vectorBase + pin, 2),
      masked: (chip.imr & bit) !== 0,
      level: (chip.lines & bit) !== 0,
      pending: (chip.irr & bit) !== 0 || inService,
      note: [kind, cascade ? 'slave' : '', inService ? 'in service' : ''].filter((word) => word !== '').join(', '),
    }
  })
}
