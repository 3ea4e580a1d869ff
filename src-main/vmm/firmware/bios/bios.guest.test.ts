/** The ROM's guest side on the interpreter: entry points, waiting, and the PCI BIOS in 32-bit code. No board: ports answer all ones. */
import { describe, expect, it } from 'vitest'
import type { CpuIo } from '../../cpu/engine'
import { InterpreterEngine } from '../../cpu/engines/interpreter'
import * as L from '../../cpu/layout'
import { createMachineCore } from '../../cpu/machine-core'
import { Vcpu } from '../../cpu/vcpu'
import { GuestMemoryImpl } from '../../memory/guest-memory-impl'
import { gpa, vmTime } from '../../support/branded'
import { assemble } from '../assembler'
import { Bios } from './bios'
import { FakeDisk } from './bios.fixture'
import { BIOS_CALL_PORT } from './rom-source'

const RAM_BYTES = 4 << 20

class GuestBench {
  readonly disk: FakeDisk
  readonly printed: string[] = []
  readonly memory: GuestMemoryImpl
  readonly out: { readonly port: number; readonly value: number }[] = []
  private readonly core
  private readonly engine: InterpreterEngine
  private readonly bios: Bios
  /** What the PCI configuration ports select. */
  private configAddress = 0

  constructor(bootSector: string) {
    const image = new Uint8Array(64 * 512)
    image.set(assemble(`bits 16\norg 0x7c00\n${bootSector}\ntimes 510 - ($ - $$) db 0\ndw 0xaa55`).bytes)
    this.disk = new FakeDisk('disk', image)
    const io: CpuIo = {
      pioRead: (port, width) => this.read(port, width),
      pioWrite: (port, width, value) => this.write(port, width, value),
      mmioRead: (_address, width) => 2 ** (8 * width) - 1,
      mmioWrite: () => undefined,
      readTsc: () => 0,
      acknowledgeInterrupt: () => -1,
      readTaskPriority: () => 0,
      writeTaskPriority: () => undefined,
      readMsr: () => undefined,
      writeMsr: () => false,
      unknownOpcode: () => undefined,
    }
    this.core = createMachineCore({ ramBytes: RAM_BYTES, extraBytes: 0, io })
    this.memory = new GuestMemoryImpl(this.core.memory.buffer, RAM_BYTES)
    this.engine = new InterpreterEngine(this.core)
    const font = new Uint8Array(4096)
    this.bios = new Bios({
      memory: this.memory,
      io: {
        pioRead: (port, width) => this.read(port, width),
        pioWrite: (port, width, value) => this.write(port, width, value),
        memoryRead: () => 0,
        memoryWrite: (address, _width, value) => {
          if (address >= 0xb8000 && address < 0xb8fa0 && address % 2 === 0) this.printed.push(String.fromCharCode(value & 0xff))
        },
      },
      now: () => vmTime(0),
      fonts: { font8x8: font, font8x14: font, font8x16: font },
      disks: [this.disk],
      bootOrder: ['disk'],
      menuDelayMilliseconds: 0,
      cpus: 1,
    })
    this.memory.write(gpa(0xf0000), this.bios.rom.bytes)
    const vcpu = new Vcpu(this.core, L.VCPU_BASE)
    vcpu.reset()
    // The reset vector's alias below 4 GiB is the board's; here the first instruction is put where it shows below 1 MiB.
    const view = new DataView(this.core.memory.buffer)
    view.setUint32(L.VCPU_BASE + L.SEGMENTS + L.SEG_CS * L.SEG_BYTES + L.SEG_BASE, 0xf0000, true)
    view.setUint32(L.VCPU_BASE + L.SEGMENTS + L.SEG_CS * L.SEG_BYTES + L.SEG_EFFECTIVE_BASE, 0xf0000, true)
  }

  private read(port: number, width: number): number {
    // One PCI function: 00:03.0, 1234:5678, class 0C0300h.
    if (port >= 0xcfc && port <= 0xcff) {
      const register = (this.configAddress & 0xfc) + (port & 3)
      const isThere = ((this.configAddress >>> 8) & 0xffff) === 0x18
      const bytes = [0x34, 0x12, 0x78, 0x56, 0, 0, 0, 0, 1, 0x00, 0x03, 0x0c]
      let value = 0
      for (let i = 0; i < width; i++) value += (isThere ? (bytes[register + i] ?? 0) : 0xff) * 2 ** (8 * i)
      return value
    }
    return 2 ** (8 * width) - 1
  }
  private write(port: number, width: number, value: number): void {
    if (port === BIOS_CALL_PORT) this.bios.pioWrite(port, width === 4 ? 4 : 1, value)
    else if (port === 0xcf8) this.configAddress = value
    else if (port < 0x20 || port > 0x3ff) this.out.push({ port, value })
  }

  /** Until the guest halts for good (or the budget is used up). */
  run(budget: number = 300_000): void {
    for (let left = budget; left > 0; left -= 20_000) {
      if (this.engine.run(L.VCPU_BASE, 20_000).kind === 'halted') return
    }
  }
  bytes(address: number, count: number): number[] {
    const bytes = new Uint8Array(count)
    this.memory.read(gpa(address), bytes)
    return [...bytes]
  }
  dwords(address: number, count: number): string[] {
    return Array.from({ length: count }, (_, i) => this.memory.readU32(gpa(address + i * 4)).toString(16))
  }
}

describe('BIOS on the interpreter', () => {
  it('comes from reset through power-on to the boot sector, and keeps registers that a service does not return', () => {
    const bench = new GuestBench(`
      mov [0x600], dx
      mov eax, 0x11110e5a
      mov ebx, 0x22220007
      mov ecx, 0x33333333
      mov edx, 0x44444444
      mov esi, 0x55555555
      mov edi, 0x66666666
      mov ebp, 0x77777777
      int 0x10
      mov [0x604], eax
      mov [0x608], ebx
      mov [0x60c], ecx
      mov [0x610], edx
      mov [0x614], esi
      mov [0x618], edi
      mov [0x61c], ebp
      mov [0x620], sp
      cli
      hlt`)
    bench.run()
    expect(bench.bytes(0x600, 1)).toEqual([0x80])
    expect(bench.printed.join('')).toContain('Vitrine BIOS')
    expect(bench.printed.at(-1)).toBe('Z')
    expect(bench.dwords(0x604, 7)).toEqual(['11110e5a', '22220007', '33333333', '44444444', '55555555', '66666666', '77777777'])
    expect(bench.bytes(0x620, 2)).toEqual([0x00, 0x7c])
  })

  it('polls while a disk is slow, and returns flags to the caller', () => {
    const bench = new GuestBench(`
      mov ax, 0x0201
      mov bx, 0x1000
      mov cx, 2
      mov dx, 0x80
      clc
      int 0x13
      setc [0x600]
      mov ax, 0x0201
      mov cx, 0
      int 0x13
      setc [0x601]
      mov [0x602], ah
      cli
      hlt`)
    bench.disk.bytes[512] = 0x99
    // The boot sector itself is read at once.
    let reads = 0
    const read = bench.disk.read.bind(bench.disk)
    bench.disk.read = (lba, target) => {
      bench.disk.isSlow = reads++ > 0
      return read(lba, target)
    }
    bench.run(100_000)
    expect(bench.bytes(0x602, 1)).toEqual([0])
    bench.disk.finish()
    bench.run()
    expect(bench.bytes(0x600, 3)).toEqual([0, 1, 4])
    expect(bench.bytes(0x1000, 1)).toEqual([0x99])
  })

  it('counts ticks and calls INT 1Ch', () => {
    const bench = new GuestBench(`
      mov dword [0x46c], 0x1800af
      mov word [0x1c * 4], handler
      mov word [0x1c * 4 + 2], 0
      int 8
      mov eax, [0x46c]
      mov [0x600], eax
      int 8
      cli
      hlt
      handler: inc byte [0x604]
      iret`)
    bench.run()
    expect(bench.dwords(0x600, 1)).toEqual(['0'])
    expect(bench.bytes(0x604, 1)).toEqual([2])
    expect(bench.bytes(0x470, 1)).toEqual([1])
  })

  it('finds and reads PCI functions from 32-bit code', () => {
    const bench = new GuestBench(`
      cli
      lgdt [gdt_pointer]
      mov eax, cr0
      or al, 1
      mov cr0, eax
      jmp 8:protected
    bits 32
    protected:
      mov ax, 16
      mov ds, ax
      mov es, ax
      mov ss, ax
      mov esp, 0x7000
      mov esi, 0xf0000        ; the directory is on a paragraph
    .search:
      cmp dword [esi], '_32_'
      je .directory
      add esi, 16
      jmp .search
    .directory:
      mov eax, [esi + 4]
      mov [target], eax
      mov eax, 0x49435024
      xor ebx, ebx
      call far [target]
      mov [0x600], al
      add edx, ebx
      mov [target], edx
      mov ax, 0xb101
      call far [target]
      mov [0x604], edx
      mov ax, 0xb102
      mov cx, 0x5678
      mov dx, 0x1234
      xor esi, esi
      call far [target]
      mov [0x608], bx
      mov [0x60a], ah
      setc [0x60b]
      mov ax, 0xb103
      mov ecx, 0x0c0300
      xor ebx, ebx
      call far [target]
      mov [0x60c], bx
      mov ax, 0xb10a
      mov edi, 8
      call far [target]
      mov [0x610], ecx
      mov ax, 0xb109
      mov edi, 2
      call far [target]
      mov [0x614], cx
      mov ax, 0xb108
      mov edi, 1
      call far [target]
      mov [0x616], cl
      mov ax, 0xb109
      call far [target]
      mov [0x617], ah
      mov ax, 0xb102
      mov cx, 0x5678
      mov esi, 1
      call far [target]
      mov [0x618], ah
      hlt
    align 8, db 0
    gdt: dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
    gdt_pointer: dw 23
      dd gdt
    target: dd 0
      dw 8`)
    bench.run()
    expect(bench.bytes(0x600, 1)).toEqual([0])
    expect(bench.dwords(0x604, 1)).toEqual(['20494350'])
    expect(bench.bytes(0x608, 6)).toEqual([0x18, 0, 0, 0, 0x18, 0])
    expect(bench.dwords(0x610, 1)).toEqual(['c030001'])
    expect(bench.bytes(0x614, 5)).toEqual([0x78, 0x56, 0x12, 0x87, 0x86])
  })
})
