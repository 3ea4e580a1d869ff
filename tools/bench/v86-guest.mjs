// v86 in a process of its own, its serial port on standard output: node v86-guest.mjs KERNEL INITRD CMDLINE MEMORY_MIB BIOS VGA_BIOS
import { readFileSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { V86 } from 'v86'

const [kernel = '', initrd = '', cmdline = '', memoryMiB = '256', bios = '', vgaBios = ''] = process.argv.slice(2)
const image = (path) => ({ buffer: new Uint8Array(readFileSync(path)).buffer })

const emulator = new V86({
  wasm_path: fileURLToPath(new URL('v86.wasm', import.meta.resolve('v86'))),
  bios: image(bios),
  vga_bios: image(vgaBios),
  bzimage: image(kernel),
  initrd: image(initrd),
  cmdline,
  memory_size: Number(memoryMiB) << 20,
  vga_memory_size: 8 << 20,
  acpi: true,
  autostart: true,
})

let line = []
emulator.add_listener('serial0-output-byte', (byte) => {
  line.push(byte)
  if (byte !== 0x0a) return
  writeSync(1, Uint8Array.from(line))
  line = []
})
