/** Boots small loaders of our own from image files through the built-in BIOS: whole machine, interpreter, virtual time. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MachineConfig, MachineEnd } from '../../machine/config'
import type { Machine } from '../../machine/machine'
import { bootableCd } from './bios.fixture'
import { boot, diskImage, loader, MIB } from './boot.fixture'

/** Says one letter: enough to see what was booted. */
const sayer = (letter: string): Uint8Array => loader(`  mov al, '${letter}'\n  out 0xe9, al`)

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitrine-boot-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

/** Presses each key when its text has come up on the screen, in this order. */
function answering(...answers: readonly (readonly [shown: string, code: string])[]): (machine: Machine, screen: string) => void {
  const left = [...answers]
  return (machine, screen) => {
    const next = left[0]
    if (next === undefined || !screen.includes(next[0])) return
    left.shift()
    machine.type([{ code: next[1], pressed: true }, { code: next[1], pressed: false }])
  }
}

const DONE: MachineEnd = { kind: 'debug-exit', status: 1 }

describe('the built-in BIOS boots', () => {
  it('a disk: INT 13h extensions read and write it, E820h tells the memory, INT 16h waits for a key', async () => {
    const image = diskImage(loader(`
  mov ah, 0x41
  mov bx, 0x55aa
  int 0x13
  mov [0x600], bx
  mov [0x602], cx
  mov word [0x700], 0x1e
  mov ah, 0x48
  mov si, 0x700
  mov dl, [drive]
  int 0x13
  mov eax, [0x710]        ; sectors
  mov [0x604], eax
  mov ah, 0x42
  mov si, packet
  mov dl, [drive]
  int 0x13
  mov eax, [0x1000]
  mov [0x608], eax
  mov dword [0x1000], 'done'
  mov dword [packet + 8], 7
  mov ax, 0x4301
  mov si, packet
  mov dl, [drive]
  int 0x13
  setc [0x60c]
  mov dl, [drive]
  mov [0x60d], dl
  mov si, 0x600
  mov cx, 14
  call report
  xor ebx, ebx
.entry:
  mov eax, 0xe820
  mov edx, 'PAMS'
  mov ecx, 24
  mov di, 0x800
  int 0x15
  mov al, 'F'
  jc done
  mov si, 0x800
  mov cx, 20
  call report
  test ebx, ebx
  jnz .entry
  mov ax, 0x0e00 + '?'
  int 0x10
  xor ah, ah
  int 0x16
  mov [0x600], ax
  mov si, 0x600
  mov cx, 2
  call report
  xor al, al
  jmp done
packet: db 16, 0, 1, 0
  dw 0x1000, 0
  dq 5`))
    image.set(Buffer.from('five'), 5 * 512)
    const path = await file('disk.img', image)
    const { end, said } = await boot({ disks: [{ path, readOnly: false }] }, answering(['?', 'KeyA']))
    expect(end).toEqual(DONE)
    expect(said.readUInt16LE(0)).toBe(0xaa55)
    expect(said.readUInt8(2) & 1).toBe(1) // packet access
    expect(said.readUInt32LE(4)).toBe(MIB / 512)
    expect(said.toString('latin1', 8, 12)).toBe('five')
    expect([...said.subarray(12, 14)]).toEqual([0, 0x80])
    const map = said.subarray(14, said.length - 2)
    const entries = Array.from({ length: map.length / 20 }, (_, i) => [map.readUInt32LE(i * 20), map.readUInt32LE(i * 20 + 8), map.readUInt32LE(i * 20 + 16)])
    expect(entries[0]).toEqual([0, 0x9fc00, 1])
    expect(entries.find(([address]) => address === MIB)).toEqual([MIB, 15 * MIB - 0x10000, 1])
    expect(entries.find(([address]) => address === 0xfee00000)?.[2]).toBe(2)
    expect(said.readUInt16LE(said.length - 2)).toBe(0x1e61)
    expect((await readFile(path)).toString('latin1', 7 * 512, 7 * 512 + 4)).toBe('done')
  }, 20_000)

  it('a CD without emulation: the drive is read by 2048-byte sectors, and says what was booted', async () => {
    const cd = bootableCd(0, loader(`
  mov ax, 0x4b01
  mov si, 0x700
  int 0x13
  setc [0x600]
  mov al, [0x701]
  mov [0x601], al
  mov al, [0x702]
  mov [0x602], al
  mov ah, 0x42
  mov si, packet
  mov dl, [drive]
  int 0x13
  mov al, [drive]
  mov [0x603], al
  mov si, 0x600
  mov cx, 4
  call report
  mov si, 0x1001
  mov cx, 5
  call report
  xor al, al
  jmp done
packet: db 16, 0, 1, 0
  dw 0x1000, 0
  dq 17`))
    const { end, said } = await boot({ cdroms: [{ path: await file('cd.iso', cd) }] })
    expect(end).toEqual(DONE)
    expect([...said.subarray(0, 4)]).toEqual([0, 0, 0xe0, 0xe0])
    expect(said.toString('latin1', 4)).toBe('CD001')
  }, 20_000)

  it('a CD that plays a 1.44 MB diskette: drive 0 with its geometry, read by cylinder, head and sector, read-only', async () => {
    const diskette = diskImage(loader(`
  mov ah, 8
  xor dl, dl
  int 0x13
  mov [0x600], cx
  mov [0x602], dx
  mov [0x604], bl
  xor ax, ax
  mov es, ax
  mov ax, 0x0201
  mov bx, 0x1000
  mov cx, 0x4f12          ; cylinder 79, sector 18
  mov dx, 0x0100          ; head 1
  int 0x13
  setc [0x605]
  mov ax, 0x0301
  mov cx, 0x0002
  xor dx, dx
  int 0x13
  mov [0x606], ah
  mov al, [drive]
  mov [0x607], al
  int 0x11
  mov [0x608], al
  mov si, 0x600
  mov cx, 9
  call report
  mov si, 0x1000
  mov cx, 4
  call report`), 1440 * 1024)
    diskette.set(Buffer.from('last'), 2879 * 512)
    const { end, said } = await boot({ cdroms: [{ path: await file('floppy.iso', bootableCd(2, diskette)) }] })
    expect(end).toEqual(DONE)
    expect(said.readUInt16LE(0)).toBe(0x4f12)
    expect(said.readUInt16LE(2)).toBe(0x0101)
    expect([...said.subarray(4, 8)]).toEqual([4, 0, 3, 0])
    expect(said.readUInt8(8) & 1).toBe(1) // equipment: a diskette drive
    expect(said.toString('latin1', 9)).toBe('last')
  }, 20_000)

  it('a CD that plays a hard disk: drive 80h with the geometry of its partition', async () => {
    const disk = diskImage(loader(`
  mov ah, 8
  int 0x13
  mov [0x600], cl
  mov [0x601], dh
  mov ax, 0x0201          ; cylinder 0, head 1, sector 1: block 17
  mov bx, 0x1000
  mov cx, 1
  mov dh, 1
  mov dl, [drive]
  int 0x13
  mov al, [drive]
  mov [0x602], al
  mov si, 0x600
  mov cx, 3
  call report
  mov si, 0x1000
  mov cx, 4
  call report`))
    disk.set([0x80, 1, 1, 0, 6, 3, 17, 29], 0x1be)
    disk.set(Buffer.from('next'), 17 * 512)
    const { end, said } = await boot({ cdroms: [{ path: await file('disk.iso', bootableCd(4, disk)) }] })
    expect(end).toEqual(DONE)
    expect([said.readUInt8(0) & 0x3f, said.readUInt8(1), said.readUInt8(2)]).toEqual([17, 3, 0x80])
    expect(said.toString('latin1', 3)).toBe('next')
  }, 20_000)

  it('and x87 exceptions come as IRQ 13 and NMI while CR0.NE is clear, each time anew', async () => {
    const path = await file('disk.img', diskImage(loader(`
  mov word [2 * 4], handler
  mov word [2 * 4 + 2], 0
  db 0xdb, 0xe3           ; fninit
  mov word [0x600], 0x37b
  db 0xd9, 0x2e, 0x00, 0x06 ; fldcw [0x600]: division by zero is not masked
  call divide
  mov al, 'a'
  out 0xe9, al
  call divide
  mov al, 'b'
  out 0xe9, al
  xor al, al
  jmp done
divide:
  db 0xd9, 0xe8           ; fld1
  db 0xd9, 0xee           ; fldz
  db 0xde, 0xf9           ; fdivp
  db 0x9b                 ; fwait
  ret
handler:
  mov al, 'x'
  out 0xe9, al
  db 0x9b                 ; fwait: goes on, IGNNE# is asserted
  db 0xdb, 0xe2           ; fnclex
  iret`)))
    const { end, said } = await boot({ disks: [{ path, readOnly: true }] })
    expect(end).toEqual(DONE)
    expect(said.toString('latin1')).toBe('xaxb')
  }, 20_000)

  it('and sets a VBE mode of 1920x1200 in 32 bits, drawn through the linear frame buffer', async () => {
    const path = await file('disk.img', diskImage(loader(`
  mov di, 0x1000
  mov dword [di], '2EBV'
  mov ax, 0x4f00
  int 0x10
  mov [0x600], ax
  mov di, 0x2000
  mov ax, 0x4f01
  mov cx, 0x150
  int 0x10
  mov [0x602], ax
  mov ax, 0x4f02
  mov bx, 0x4150
  int 0x10
  mov [0x604], ax
  mov si, 0x600
  mov cx, 6
  call report
  mov si, 0x1000
  mov cx, 4
  call report
  mov si, 0x2012          ; width, height
  mov cx, 4
  call report
  cli
  lgdt [gdt_pointer]
  mov eax, cr0
  or al, 1
  mov cr0, eax
  mov bx, 8
  mov fs, bx
  and al, 0xfe
  mov cr0, eax
  mov ebx, [0x2028]       ; frame buffer
  add ebx, (1199 * 1920 + 1919) * 4
  mov dword [fs:ebx], 0x123456
  mov ax, 0x4f03
  int 0x10
  mov [0x600], bx
  mov si, 0x600
  mov cx, 2
  call report
  xor al, al
  jmp done
gdt: dq 0, 0x00cf93000000ffff
gdt_pointer: dw 15
  dd gdt`)))
    let corner = 0
    let size = ''
    const { end, said } = await boot({ disks: [{ path, readOnly: true }] }, (machine) => {
      const { width, height, pixels } = machine.screenshot()
      size = `${width}x${height}`
      corner = pixels[pixels.length - 1] ?? 0
    })
    expect(end).toEqual(DONE)
    expect([said.readUInt16LE(0), said.readUInt16LE(2), said.readUInt16LE(4)]).toEqual([0x4f, 0x4f, 0x4f])
    expect(said.toString('latin1', 6, 10)).toBe('VESA')
    expect([said.readUInt16LE(10), said.readUInt16LE(12), said.readUInt16LE(14)]).toEqual([1920, 1200, 0x4150])
    expect(size).toBe('1920x1200')
    expect(corner.toString(16)).toBe('ff563412')
  }, 20_000)

  it('and sets every VGA mode so that the picture has its size', async () => {
    const path = await file('disk.img', diskImage(loader(`
  mov bx, modes
.mode:
  movzx ax, byte [bx]
  push bx
  int 0x10
  mov ah, 0x0f
  int 0x10
  out 0xe9, al            ; what the BIOS says is set
  pop bx
  sti
  hlt
  hlt
  inc bx
  cmp bx, modes_end
  jb .mode
  xor al, al
  jmp done
modes: db 1, 3, 4, 5, 6, 7, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13
modes_end:`)))
    const sizes = new Map<number, string>()
    const { end } = await boot({ disks: [{ path, readOnly: true }] }, (machine, _screen, said) => {
      const mode = said.at(-1)
      if (mode === undefined || sizes.has(mode)) return
      const { width, height } = machine.screenshot()
      sizes.set(mode, `${width}x${height}`)
    })
    expect(end).toEqual(DONE)
    expect(Object.fromEntries(sizes)).toEqual({
      1: '720x400', 3: '720x400', 4: '640x400', 5: '640x400', 6: '640x400', 7: '720x400', 13: '640x400', 14: '640x400', 15: '640x350',
      16: '640x350', 17: '640x480', 18: '640x480', 19: '640x400',
    })
  }, 20_000)

  it('and gives the screen back as it was after another mode (INT 10h AH=1Ch)', async () => {
    const path = await file('disk.img', diskImage(loader(`
  mov dx, 0x3c8           ; colour 5 of the DAC
  mov al, 5
  out dx, al
  inc dx
  mov al, 0x2b
  out dx, al
  out dx, al
  out dx, al
  mov ax, 0x0502          ; page 2, cursor at 5, 7
  int 0x10
  mov ah, 2
  mov bh, 2
  mov dx, 0x0507
  int 0x10
  mov ax, 0x1c00
  mov cx, 7
  int 0x10
  mov [0x600], al
  mov [0x601], bx
  mov ax, 0x1c01
  mov cx, 7
  mov bx, 0x3000
  int 0x10
  mov ax, 0x0093          ; 320x200, memory kept
  int 0x10
  mov ax, 0x1c02
  mov cx, 7
  mov bx, 0x3000
  int 0x10
  mov ah, 0x0f
  int 0x10
  mov [0x603], al
  mov [0x604], ah
  mov [0x605], bh
  mov ah, 3
  int 0x10
  mov [0x606], dx
  mov dx, 0x3c7
  mov al, 5
  out dx, al
  mov dx, 0x3c9
  in al, dx
  mov [0x608], al
  mov si, 0x600
  mov cx, 9
  call report`)))
    const { end, said, screen } = await boot({ disks: [{ path, readOnly: true }] })
    expect(end).toEqual(DONE)
    expect([...said]).toEqual([0x1c, said[1], 0, 3, 80, 2, 7, 5, 0x2b])
    expect(said.readUInt16LE(1) * 64).toBeGreaterThan(768)
    expect(screen.length).toBe(25)
  }, 20_000)

  it('what is bootable, saying why not of the rest', async () => {
    const disks = [{ path: await file('empty.img', new Uint8Array(MIB)), readOnly: true }]
    const cdroms = [{ path: await file('cd.iso', bootableCd(0, sayer('C'))) }]
    const { said, screen } = await boot({ disks, cdroms })
    expect(said.toString('latin1')).toBe('C')
    expect(screen.join('\n')).toContain('not bootable')
  }, 20_000)
})

describe('the boot menu', () => {
  const machineWithBoth = async (): Promise<Partial<MachineConfig>> => ({
    disks: [{ path: await file('disk.img', diskImage(sayer('D'))), readOnly: true }],
    cdroms: [{ path: await file('cd.iso', bootableCd(0, sayer('C'))) }],
  })

  it.each(['F12', 'Escape'])('comes up on %s and boots what is chosen', async (key) => {
    const { end, said } = await boot(await machineWithBoth(), answering(['F12 or Esc', key], ['2. CD-ROM', 'Digit2']))
    expect(end).toEqual(DONE)
    expect(said.toString('latin1')).toBe('C')
  }, 20_000)

  it('stays away otherwise, and then the configured order holds', async () => {
    expect((await boot(await machineWithBoth())).said.toString('latin1')).toBe('D')
    expect((await boot({ ...(await machineWithBoth()), boot: ['cdrom', 'disk'] })).said.toString('latin1')).toBe('C')
  }, 20_000)

  it('left by Esc boots as configured', async () => {
    const { said } = await boot({ ...(await machineWithBoth()), bootMenu: true }, answering(['2. CD-ROM', 'Escape']))
    expect(said.toString('latin1')).toBe('D')
  }, 20_000)
})
