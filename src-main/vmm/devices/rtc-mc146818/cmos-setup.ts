/**
 * What the set-up program of a PC leaves in CMOS memory, and what firmware reads there when it has no better source.
 * Sources: IBM PC/AT technical reference (10h-2Fh); the higher bytes as on QEMU's `pc`, where SeaBIOS looks for them.
 */

import type { RtcMc146818 } from './rtc'

export interface CmosSetup {
  readonly lowRamBytes: number
  /** RAM from 4 GiB up. */
  readonly highRamBytes: number
  readonly cpus: number
  /** In the order of trying. At most three. */
  readonly bootOrder: readonly ('floppy' | 'disk' | 'cdrom' | 'network')[]
}

const KIB = 0x400
const MIB = 0x100000
const BASE_KIB = 640

const DRIVE_TYPES = 0x10
const EQUIPMENT = 0x14
const BASE_MEMORY = 0x15
const EXTENDED_MEMORY = 0x17
const EXTENDED_MEMORY_TESTED = 0x30
const MEMORY_ABOVE_16M = 0x34
const BOOT_THIRD = 0x38
const BOOT_FIRST_SECOND = 0x3d
const MEMORY_ABOVE_4G = 0x5b
const MORE_CPUS = 0x5f

/** 80x25 colour is left to the VGA BIOS; FPU and PS/2 mouse are there. */
const EQUIPMENT_BYTE = 0x06
/** 38h bit 0: do not look for the signature of a floppy's boot sector. */
const SKIP_FLOPPY_CHECK = 0x01
const BOOT_CODES = { floppy: 1, disk: 2, cdrom: 3, network: 4 } as const

/** Fills in the memory sizes, equipment and boot order, and the checksum. */
export function setUpCmos(rtc: RtcMc146818, setup: CmosSetup): void {
  const word = (index: number, value: number): void => {
    rtc.setCmos(index, value & 0xff)
    rtc.setCmos(index + 1, (value >> 8) & 0xff)
  }
  const units = (bytes: number, unit: number): number => Math.min(0xffff, Math.max(0, Math.floor(bytes / unit)))
  rtc.setCmos(DRIVE_TYPES, 0)
  rtc.setCmos(EQUIPMENT, EQUIPMENT_BYTE)
  word(BASE_MEMORY, BASE_KIB)
  word(EXTENDED_MEMORY, units(setup.lowRamBytes - MIB, KIB))
  word(EXTENDED_MEMORY_TESTED, units(setup.lowRamBytes - MIB, KIB))
  word(MEMORY_ABOVE_16M, units(setup.lowRamBytes - 16 * MIB, 0x10000))
  const high = Math.floor(setup.highRamBytes / 0x10000)
  word(MEMORY_ABOVE_4G, high & 0xffff)
  rtc.setCmos(MEMORY_ABOVE_4G + 2, (high >> 16) & 0xff)
  rtc.setCmos(MORE_CPUS, setup.cpus - 1)
  const code = (position: number): number => {
    const device = setup.bootOrder[position]
    return device === undefined ? 0 : BOOT_CODES[device]
  }
  rtc.setCmos(BOOT_FIRST_SECOND, code(0) | (code(1) << 4))
  rtc.setCmos(BOOT_THIRD, SKIP_FLOPPY_CHECK | (code(2) << 4))
  rtc.updateChecksum()
}
