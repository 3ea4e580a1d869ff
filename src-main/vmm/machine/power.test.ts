/** Restarting and switching off, as guests do it on a whole machine. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { boot, diskImage, loader, type Booted } from '../firmware/bios/boot.fixture'
import { PM_BASE } from '../firmware/bios/pci-setup'
import type { Machine } from './machine'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitrine-power-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function run(code: string, onTurn?: (machine: Machine, screen: string) => void): Promise<Booted> {
  const path = join(folder, 'disk.img')
  await writeFile(path, diskImage(loader(code)))
  return boot({ disks: [{ path, readOnly: true }] }, onTurn)
}

const DONE = { kind: 'debug-exit', status: 1 }

describe('a guest', () => {
  it('restarts by port 92h, the reset register, and the keyboard controller; RAM stays', async () => {
    const { end, said } = await run(`
  mov al, [0x5000]        ; how often we have been here
  inc byte [0x5000]
  add al, '0'
  out 0xe9, al
  cmp al, '1'
  je .register
  ja .keyboard
  in al, 0x92
  or al, 1
  out 0x92, al
  jmp .wait
.register:
  mov dx, 0xcf9
  mov al, 2
  out dx, al
  mov al, 6
  out dx, al
  jmp .wait
.keyboard:
  cmp al, '2'
  ja .end
  mov al, 0xfe
  out 0x64, al
.wait:
  hlt
  jmp .wait
.end:`)
    expect(end).toEqual(DONE)
    expect(said.toString()).toBe('0123')
  }, 20_000)

  it('comes back where it wants after a reset with CMOS shutdown code 0Ah', async () => {
    const { end, said } = await run(`
  mov word [0x467], back
  mov word [0x469], 0
  mov al, 0x0f
  out 0x70, al
  mov al, 0x0a
  out 0x71, al
  mov al, 0xfe
  out 0x64, al
.wait:
  hlt
  jmp .wait
back:
  mov ax, 0
  mov ds, ax
  mov ss, ax
  mov sp, 0x7c00
  mov al, 'B'
  out 0xe9, al`)
    expect(end).toEqual(DONE)
    expect(said.toString()).toBe('B')
  }, 20_000)

  it('sees the power button as a fixed event, by SCI, and switches off by SLP_EN', async () => {
    let pressed = false
    const { end, said } = await run(
      `
  mov word [0x71 * 4], sci
  mov word [0x71 * 4 + 2], 0
  in al, 0xa1
  and al, 0xfd
  out 0xa1, al
  mov dx, ${PM_BASE + 2}
  mov ax, 0x100           ; PWRBTN_EN
  out dx, ax
  mov al, 'r'
  out 0xe9, al
.wait:
  sti
  hlt
  jmp .wait
sci:
  mov dx, ${PM_BASE}
  in ax, dx
  mov [0x600], ax
  mov si, 0x600
  mov cx, 2
  call report
  mov dx, ${PM_BASE + 4}
  mov ax, 0x2001          ; SLP_TYP 0 (S5), SLP_EN, SCI_EN
  out dx, ax
  jmp $`,
      (machine) => {
        if (pressed || machine.stats().interrupts['0x8'] === undefined) return
        pressed = machine.now() > 1_000_000_000
        if (pressed) machine.pressPowerButton()
      },
    )
    expect(end).toEqual({ kind: 'power-off' })
    expect(said.toString('latin1', 0, 1)).toBe('r')
    expect(said.readUInt16LE(1) & 0x100).toBe(0x100)
  }, 20_000)
})
