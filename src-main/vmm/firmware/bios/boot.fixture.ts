/** Small loaders of our own in whole machines (interpreter, virtual time), for tests. */
import { QueueCharBackend } from '../../backends/chardev/char-backend'
import type { MachineConfig, MachineEnd } from '../../machine/config'
import { createMachine } from '../../machine/create-machine'
import type { Machine } from '../../machine/machine'
import { assemble } from '../assembler'

/** More than any of these guests needs: a guest that went astray ends here. */
const MOST_INSTRUCTIONS = 40_000_000
export const MIB: number = 0x100000

/** Entry of every loader: flat segments, a stack; `report` sends CX bytes from SI, `done` ends the machine with status AL. */
export const loader = (code: string): Uint8Array =>
  assemble(`
bits 16
org 0x7c00
  jmp 0:start
report:
  lodsb
  out 0xe9, al
  loop report
  ret
done:
  out 0xf4, al
  cli
  hlt
start:
  cld
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x7c00
  mov [drive], dl
${code}
  xor al, al
  jmp done
drive: db 0
  times 510 - ($ - $$) db 0
  dw 0xaa55
`).bytes

/** How a machine ended: what it sent to the debug console, and the text on its screen. */
export interface Booted {
  readonly end: MachineEnd
  readonly said: Buffer
  readonly screen: readonly string[]
}

export function diskImage(sector: Uint8Array, bytes: number = MIB): Uint8Array {
  const image = new Uint8Array(bytes)
  image.set(sector)
  return image
}

export async function boot(options: Partial<MachineConfig>, onTurn: (machine: Machine, screen: string, said: readonly number[]) => void = () => undefined): Promise<Booted> {
  const said: number[] = []
  const machine = await createMachine(
    {
      engine: 'interpreter', memoryMiB: 16, cpus: 1, cpu: {}, clock: 'instructions', firmware: 'builtin', boot: ['disk', 'cdrom'],
      bootMenu: false, append: '', modules: [], disks: [], cdroms: [], demo: false, debugExit: true, ...options,
    },
    { serial: [], debugConsole: new QueueCharBackend((byte) => said.push(byte)) },
  )
  try {
    machine.onTurn = () => onTurn(machine, machine.screenText().join('\n'), said)
    const end = await machine.run(MOST_INSTRUCTIONS)
    return { end, said: Buffer.from(said), screen: machine.screenText() }
  } finally {
    await machine.close()
  }
}
