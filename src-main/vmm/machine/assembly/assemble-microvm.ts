/** A microvm: the board, and the kernel that it starts without firmware. */
import { VmmError } from '../../errors/vmm-error'
import { placeMicrovmTables } from '../../firmware/acpi/microvm-tables'
import { checkDirectBoot, loadDirectBoot, type DirectBootRequest } from '../../firmware/direct-boot'
import { microvmMemoryMap } from '../../firmware/memory-map'
import { Microvm } from '../boards/microvm'
import { enterImage } from '../boot-entry'
import { paravirtOf } from '../hypervisor'
import type { Assembly, BoardParts } from './assembly'

/** Between the end of low memory and 1 MiB: where systems look for it when nobody tells them. */
const RSDP = 0xf0000

export function assembleMicrovm(parts: BoardParts): Assembly {
  const { config, files, memory, vcpu } = parts
  const { image } = files
  if (!image) throw new VmmError('config/contradiction', '--board microvm: boots a kernel and nothing else; give one with --kernel, or leave out --board')
  if (image.linuxEntry === 16) throw new VmmError('config/contradiction', '--linux-entry 16: needs a BIOS, which --board microvm has not; choose 32 or 64, or leave out --board')
  const request: DirectBootRequest = { ...image, memory, memoryMap: microvmMemoryMap(memory), rsdp: RSDP, vga: false }
  checkDirectBoot(request)
  const board = new Microvm({
    pio: parts.pio,
    mmio: parts.mmio,
    memory,
    deadlines: parts.deadlines,
    processor: {
      setInterruptRequest: (high) => vcpu.setInterruptRequest(high),
      nmi: () => vcpu.raiseNmi(),
      init: () => parts.requestReset(),
      startup: () => undefined, // there is one processor, and it runs
    },
    tscToTime: parts.tscToTime,
    requestReset: parts.requestReset,
    end: parts.end,
    drives: parts.drives,
    virtio: parts.virtio,
    serial: parts.serial,
    debugConsole: parts.debugConsole,
    debugExit: config.debugExit,
    startEpochMs: parts.startEpochMs,
    legacyClocks: ['none', 'minimal'].includes(paravirtOf(config)),
  })
  const boot = (): void => {
    vcpu.reset()
    placeMicrovmTables(memory, { ...board.acpi, cpus: config.cpus }, RSDP)
    const entry = loadDirectBoot(request)
    if (entry.mode === 'real') throw new VmmError('config/contradiction', `kernel ${image.kernel.name}: can only be entered in real mode, which needs a BIOS; leave out --board microvm`)
    enterImage(vcpu, memory, entry)
  }
  return { board, boot, betweenSlices: () => undefined }
}
