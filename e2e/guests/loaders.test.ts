/** Debian's installer from CDs with ISOLINUX and GRUB, through the built-in BIOS and through SeaBIOS: menu and installer on the VGA screen. */
import { describe, expect, it } from 'vitest'
import { installerInitrd, installerKernel, missing, SEABIOS, SEABIOS_VGA, type Architecture } from './images/files'
import { grubIso, isolinuxIso } from './images/installer-iso'
import { runGuest } from './run-guest'

interface Case {
  readonly architecture: Architecture
  readonly loader: 'isolinux' | 'grub'
  readonly firmware: 'built-in BIOS' | 'SeaBIOS'
  /** The others only look at the menu and the first lines of the kernel. */
  readonly toDialog: boolean
}

const CASES: readonly Case[] = [
  { architecture: 'i386', loader: 'isolinux', firmware: 'built-in BIOS', toDialog: true },
  { architecture: 'amd64', loader: 'grub', firmware: 'built-in BIOS', toDialog: process.env['VITRINE_LONG'] === '1' },
  { architecture: 'amd64', loader: 'isolinux', firmware: 'SeaBIOS', toDialog: process.env['VITRINE_LONG'] === '1' },
  { architecture: 'i386', loader: 'grub', firmware: 'SeaBIOS', toDialog: process.env['VITRINE_LONG'] === '1' },
]

describe.each(CASES)('$loader CD, $architecture, $firmware', ({ architecture, loader, firmware, toDialog }) => {
  const why = missing(installerKernel(architecture), installerInitrd(architecture), ...(firmware === 'SeaBIOS' ? [SEABIOS, SEABIOS_VGA] : []))
  it.skipIf(why !== undefined)(`shows the boot menu and ${toDialog ? "the installer's first dialog" : 'starts the kernel'}${why ? ` (${why})` : ''}`, async () => {
    const iso = loader === 'grub' ? grubIso(architecture) : isolinuxIso(architecture)
    const menu = loader === 'grub' ? ['expect-screen GNU GRUB', `expect-screen \\*Install Debian ${architecture}`] : ['expect-screen Vitrine test CD', `expect-screen Install Debian ${architecture}`]
    const after = toDialog
      ? ['key enter', 'expect-screen Select a language', 'expect-screen <Go Back>', 'screenshot @/dialog.png', 'key enter', 'expect-screen Select your location', 'screenshot @/answered.png']
      : ['key down', 'wait 0.3', 'key enter', 'expect Linux version 6\\.1', 'screenshot @/kernel.png']
    const run = await runGuest({
      name: `${loader}-${architecture}-${firmware === 'SeaBIOS' ? 'seabios' : 'builtin'}`,
      args: ['--memory', '1024', '--cdrom', iso, '--boot', 'cdrom', ...(firmware === 'SeaBIOS' ? ['--firmware', SEABIOS, '--vga-bios', SEABIOS_VGA] : [])],
      script: [...menu, 'wait 0.3', 'screenshot @/menu.png', ...after],
      timeoutSeconds: 850,
    })
    expect(run.errors).toBe('')
    expect(run.status).toBe(0)
  })
})
