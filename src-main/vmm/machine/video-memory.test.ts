/** The video memory that a machine is given is what its guest finds at the VBE interface's ports, and what a saved state must find again. */
import { expect, it } from 'vitest'
import { DISPI_VIDEO_MEMORY_64K } from '../devices/vga/dispi'
import { VIDEO_MEMORY_MIB, type MachineConfig } from './config'
import { createMachine } from './create-machine'
import { loadMachine, saveMachine } from './saved-machine'
import type { Machine } from './machine'

const CONFIG: MachineConfig = {
  engine: 'interpreter', memoryMiB: 2, cpus: 1, cpu: {}, clock: 'instructions', firmware: 'builtin', boot: ['disk'], bootMenu: false, append: '',
  modules: [], disks: [], cdroms: [], demo: true, debugExit: false,
}

const make = (config: Partial<MachineConfig>): Promise<Machine> => createMachine({ ...CONFIG, ...config }, { serial: [] })

function videoMemory64K({ parts: { board } }: Machine): number {
  board.pio.write(0x1ce, 2, DISPI_VIDEO_MEMORY_64K)
  return board.pio.read(0x1cf, 2)
}

it.each(VIDEO_MEMORY_MIB)('%i MiB', async (videoMemoryMiB) => {
  const machine = await make({ videoMemoryMiB })
  expect(videoMemory64K(machine)).toBe(videoMemoryMiB * 16)
  expect(machine.parts.board.blocks.find(({ name }) => name === 'vram')?.bytes).toBe(videoMemoryMiB * 0x100000)
})

it('is 16 MiB if nothing is said, beside the most memory too 64', async () => {
  expect(videoMemory64K(await make({}))).toBe(256)
  expect(videoMemory64K(await make({ memoryMiB: 3840, videoMemoryMiB: 64 }))).toBe(1024)
})

it('a saved state goes only into a machine with as much', async () => {
  const saved = saveMachine((await make({ videoMemoryMiB: 8 })).parts)
  const other = await make({ videoMemoryMiB: 32 })
  expect(() => loadMachine(other.parts, saved, 'x.state')).toThrow(/x\.state: video memory has 8388608 bytes, this machine's has 33554432; give the machine options/)
  const same = await make({ videoMemoryMiB: 8 })
  expect(() => loadMachine(same.parts, saved, 'x.state')).not.toThrow()
})
