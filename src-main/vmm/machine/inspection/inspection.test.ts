/** What the inspector shows of a real guest: a boot sector in real mode that then switches to protected mode. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { boot, diskImage, loader } from '../../firmware/bios/boot.fixture'
import type { Machine } from '../machine'
import { deviceStateViews } from './device-states'
import { inspectMachine, type Inspection } from './inspection'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitrine-inspection-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Runs until the code has written a byte to the debug console, and looks then. */
async function lookAt(code: string): Promise<{ seen: Inspection; machine: Machine; before: string; after: string }> {
  const path = join(folder, 'disk.img')
  await writeFile(path, diskImage(loader(code)))
  let found: { seen: Inspection; machine: Machine; before: string; after: string } | undefined
  await boot({ disks: [{ path, readOnly: true }] }, (machine) => {
    if (found || machine.parts.vcpu.gpr32('rsi') !== 0x1234) return
    const state = (): string => JSON.stringify(deviceStateViews(machine.parts.board.allDevices))
    const before = state()
    const seen = inspectMachine(machine.parts)
    found = { seen, machine, before, after: state() }
  })
  if (!found) throw new Error('the guest never came by')
  return found
}

/** Long enough for several turns of the machine's loop. */
const SPIN = `
  mov ecx, 3000000
.spin:
  dec ecx
  jnz .spin
  mov al, 1
  out 0xf4, al
  hlt`

describe('inspection', () => {
  it('shows registers, code, maps and controllers of a guest in real mode, and changes nothing', async () => {
    const { seen, before, after } = await lookAt(`
  mov esi, 0x1234
  mov bx, 0xbeef${SPIN}`)
    expect(after).toBe(before)
    expect(seen.mode).toBe('real-address mode')
    const register = (name: string): string | undefined => seen.registers.find((other) => other.name === name)?.value
    expect(register('ebx')?.slice(-4)).toBe('beef')
    expect(seen.disassembly[0]).toMatchObject({ current: true })
    expect(seen.disassembly[0]?.text).toMatch(/^(dec|jne) /)
    expect(seen.memoryMap.find(({ kind }) => kind === 'ram')).toMatchObject({ first: '0x000000000', owner: 'ram' })
    expect(seen.memoryMap.some(({ owner, kind }) => owner === 'ioapic/registers' && kind === 'mmio')).toBe(true)
    expect(seen.portMap.some(({ first, owner }) => first === '0x03f8' && owner.startsWith('uart'))).toBe(true)
    expect(seen.pci.map(({ bdf }) => bdf)).toEqual(['00:00.0', '00:01.0', '00:01.1', '00:01.3', '00:02.0'])
    expect(seen.controllers.map(({ name }) => name)).toEqual(['lapic', 'ioapic', 'pic-8259'])
    // the PC's BIOS leaves the timer at vector 08h, and lets it in
    expect(seen.controllers[2]?.inputs[0]).toMatchObject({ vector: '0x08', masked: false })
    expect(seen.timers.some(({ name }) => name === 'pit-8254')).toBe(true)
  })

  it('names 32-bit protected mode without paging, and its segments', async () => {
    const { seen } = await lookAt(`
  cli
  lgdt [gdtr]
  mov eax, cr0
  or al, 1
  mov cr0, eax
  jmp 8:wide
align 8
gdt: dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr: dw 23
  dd gdt
bits 32
wide:
  mov ax, 16
  mov ds, ax
  mov esi, 0x1234${SPIN}`)
    expect(seen.mode).toBe('protected mode, 32-bit code, CPL 0, no paging')
    expect(seen.registers.find(({ name }) => name === 'ds')).toMatchObject({ value: '0x0010' })
    expect(seen.registers.find(({ name }) => name === 'cr0')?.note).toMatch(/^PE/)
  })
})
