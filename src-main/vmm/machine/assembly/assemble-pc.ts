/** A PC: the board, and its firmware, built in or from a file. */
import { MemoryDisk } from '../../backends/block/memory-disk'
import { VmmError } from '../../errors/vmm-error'
import { Pc440fx } from '../boards/pc-440fx'
import { BuiltinFirmware } from '../builtin-firmware'
import { DEFAULT_VIDEO_MEMORY_MIB, type MachineConfig } from '../config'
import { MemoryDiskUnit } from '../memory-disk-unit'
import type { Assembly, BoardParts } from './assembly'

const MIB = 0x100000

export function assemblePc(parts: BoardParts): Assembly {
  const { config, files, drives, pio, mmio, io, memory, vcpu, clock, gate, leaveSlice } = parts
  const builtin = files.firmware
    ? undefined
    : new BuiltinFirmware({ config, image: files.image, drives: files.drives, memory, vcpu, pio, io, clock, gate, leaveSlice, medium: (position) => drives.medium(position) })
  const bios = files.firmware ?? builtin?.bios.rom.bytes
  if (!bios) throw new VmmError('internal/bug', 'no firmware')
  const board = new Pc440fx({
    pio,
    mmio,
    memory,
    clock,
    deadlines: parts.deadlines,
    gate,
    processor: {
      setInterruptRequest: (high) => vcpu.setInterruptRequest(high),
      nmi: () => vcpu.raiseNmi(),
      init: () => parts.requestReset(),
      startup: () => undefined, // there is one processor, and it runs
    },
    setA20: (enabled) => vcpu.setA20(enabled),
    ignoreFloatErrors: () => vcpu.ignoreFloatErrors(),
    tscToTime: parts.tscToTime,
    requestReset: parts.requestReset,
    end: parts.end,
    drives,
    virtio: parts.virtio,
    serial: parts.serial,
    debugConsole: parts.debugConsole,
    debugExit: config.debugExit,
    startEpochMs: parts.startEpochMs,
    firmware: files.vgaBios ? { bios, vgaBios: files.vgaBios } : { bios },
    bootOrder: config.boot,
    videoMemoryBytes: videoMemoryBytes(config),
  })
  if (builtin) board.add(builtin.bios)
  for (const { backend } of files.drives) if (backend instanceof MemoryDisk) board.add(new MemoryDiskUnit(backend))
  return { board, boot: () => vcpu.reset(), betweenSlices: () => builtin?.enterWhenAsked() }
}

export function videoMemoryBytes({ videoMemoryMiB = DEFAULT_VIDEO_MEMORY_MIB }: MachineConfig): number {
  return videoMemoryMiB * MIB
}
