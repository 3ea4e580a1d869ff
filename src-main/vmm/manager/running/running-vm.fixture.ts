/** VMs of a library in a temporary folder, run in real worker threads with a small guest of our own, for tests. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { PM_BASE } from '../../firmware/bios/pci-setup'
import { assemble } from '../../firmware/assembler'
import { Library, type NewVm } from '../library/library'
import type { Result } from '../library/problem'
import type { RunningVm } from './running-vm'
import type { RunEnd, RunState } from './vm-events'
import { VmManager } from './vm-manager'

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..', '..', '..')

/**
 * Says "hello", then answers each byte on COM1 with the number of bytes so far as a letter (a, b, c ...), kept in memory. A break is answered with "!". Some bytes
 * mean more: C crashes, L locks the CD drive (the second drive of the first channel), F floods the port with 200,000 bytes that count up, D reads the disk for ever, with a dot now and then (E: an error). When the power button is pressed it switches off.
 */
const GUEST = `
bits 16
org 0x7c00
  jmp 0:start
start:
  cli
  cld
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x7c00
  mov byte [0x5000], 'a'
  mov al, 'h'
  call send
  mov al, 'i'
  call send
main:
  mov dx, ${PM_BASE}
  in ax, dx
  test ah, 1
  jnz off
  mov dx, 0x3fd
  in al, dx
  mov ah, al
  test al, 1
  jz main
  mov dx, 0x3f8
  in al, dx
  test ah, 0x10
  jnz broken
  cmp al, 'C'
  je crash
  cmp al, 'L'
  je lock_cd
  cmp al, 'F'
  je flood
  cmp al, 'D'
  je disk
  mov al, [0x5000]
  inc byte [0x5000]
  call send
  jmp main
broken:
  mov al, '!'
  call send
  jmp main
off:
  mov dx, ${PM_BASE + 4}
  mov ax, 0x2000
  out dx, ax
  jmp $
crash:
  lidt [empty]
  int 3
flood:
  mov ecx, 200000
  xor bl, bl
.next:
  mov al, bl
  call send
  inc bl
  dec ecx
  jnz .next
  jmp main
disk:
  mov bp, 20
.next:
  mov ax, 0x0208
  mov cx, 2
  mov dx, 0x80
  mov bx, 0x6000
  int 0x13
  jc .bad
  dec bp
  jnz .next
  mov al, '.'
  call send
  jmp disk
.bad:
  mov al, 'E'
  call send
  jmp disk
lock_cd:
  mov dx, 0x1f6
  mov al, 0xb0
  out dx, al
  mov dx, 0x1f1
  xor al, al
  out dx, al
  mov dx, 0x1f4
  out dx, al
  inc dx
  mov al, 8
  out dx, al
  mov dx, 0x1f7
  mov al, 0xa0
  out dx, al
.wait:
  in al, dx
  test al, 8
  jz .wait
  mov dx, 0x1f0
  mov si, packet
  mov cx, 6
.words:
  lodsw
  out dx, ax
  loop .words
  mov dx, 0x1f7
.busy:
  in al, dx
  test al, 0x80
  jnz .busy
  mov al, 'L'
  call send
  jmp main
send:
  push dx
  push ax
  mov dx, 0x3fd
.full:
  in al, dx
  test al, 0x20
  jz .full
  pop ax
  mov dx, 0x3f8
  out dx, al
  pop dx
  ret
empty: dw 0, 0, 0
packet: db 0x1e, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0
  times 510 - ($ - $$) db 0
  dw 0xaa55
`

/** What an observer has seen of a VM. */
export class Seen {
  readonly states: RunState[] = []
  readonly activity: Set<string> = new Set()
  readonly serial: Buffer[] = []
  powerOns = 0
  frames = 0
  end: RunEnd | undefined
  /** Takes what comes at once; false: the guest has to wait. */
  takes = true
  untaken = 0
  private changed: (() => void)[] = []

  constructor(readonly vm: RunningVm) {}

  get said(): string {
    return Buffer.concat(this.serial).toString('latin1')
  }

  get types(): readonly string[] {
    return this.states.map(({ type }) => type)
  }

  /** Resolves when that is so. */
  async until(what: (seen: Seen) => boolean): Promise<void> {
    while (!what(this)) await new Promise<void>((done) => this.changed.push(done))
  }

  async ended(): Promise<RunEnd> {
    await this.until(({ end }) => end !== undefined)
    if (!this.end) throw new Error('not reached')
    return this.end
  }

  change(): void {
    for (const done of this.changed.splice(0)) done()
  }
}

export interface Bench {
  readonly library: Library
  readonly manager: VmManager
  /** A VM whose first disk has the guest. Its path. */
  make(name: string, hardware?: NonNullable<NewVm['settings']>['hardware'], options?: NonNullable<NewVm['settings']>['options']): Promise<string>
  start(path: string, options?: { readonly toFirmware?: boolean }): Promise<Seen>
  readonly folder: string
  /** Of all machines so far, in the order of their start. */
  readonly workers: readonly Worker[]
  close(): Promise<void>
}

/** The worker is bundled once; beside the repository's own files, which it looks for from where it is. */
export async function bench(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-running-'))
  const bundle = join(root, 'out', 'test', `machine-${process.pid}.cjs`)
  mkdirSync(join(root, 'out', 'test'), { recursive: true })
  await build({ entryPoints: [join(root, 'src-main/vmm/machine/machine.worker.ts')], outfile: bundle, bundle: true, platform: 'node', target: 'node18', format: 'cjs', logLevel: 'silent' })
  process.env['XDG_RUNTIME_DIR'] = folder
  const library = new Library({ program: 'test', paths: { inventory: join(folder, 'inventory.json'), location: join(folder, 'VMs') } })
  const workers: Worker[] = []
  const newWorker = (): Worker => {
    const worker = new Worker(bundle)
    workers.push(worker)
    return worker
  }
  const manager = new VmManager({ library, workers: newWorker })
  const guest = assemble(GUEST).bytes
  return {
    library,
    manager,
    workers,
    folder,
    make: async (name, hardware = {}, options = {}) => {
      const made = value(await library.create({ name, settings: { hardware: { memoryMiB: 4, ...hardware }, options }, newDisks: [{ file: 'disk.img', bytes: 63 * 16 * 512 }] }))
      const disk = Buffer.alloc(63 * 16 * 512)
      disk.set(guest)
      writeFileSync(join(made.path, 'disk.img'), disk)
      return made.path
    },
    start: async (path, options) => {
      const made: { seen?: Seen } = {}
      value(
        await manager.powerOn(
          path,
          (vm) => {
            const seen = new Seen(vm)
            made.seen = seen
            const note = (what: () => void): void => {
              what()
              seen.change()
            }
            return {
              onPowerOn: () => note(() => seen.powerOns++),
              onState: (state) => note(() => seen.states.push(state)),
              onFrame: () => note(() => {
                seen.frames++
                vm.frameShown()
              }),
              onSerial: (port, bytes) => note(() => {
                seen.serial.push(Buffer.from(bytes))
                if (seen.takes) vm.serialTaken(port, bytes.length)
                else seen.untaken += bytes.length
              }),
              onActivity: (devices) => note(() => devices.forEach((device) => seen.activity.add(device))),
              onEnd: (end) => note(() => (seen.end = end)),
            }
          },
          options,
        ),
      )
      if (!made.seen) throw new Error('nobody was asked to observe')
      return made.seen
    },
    close: async () => {
      for (const vm of manager.all()) vm.act('power-off')
      while (manager.all().length > 0) await new Promise((done) => setTimeout(done, 20))
      rmSync(folder, { recursive: true, force: true })
      rmSync(bundle, { force: true })
    },
  }
}

export function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.problem.message}; ${result.problem.remedy}`)
  return result.value
}
