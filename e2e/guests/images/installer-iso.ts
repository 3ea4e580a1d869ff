/** CDs with Debian's installer: one boots by ISOLINUX, one by GRUB. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached, sourceOf, stamp, tool } from './cache'
import { installerInitrd, installerKernel, type Architecture } from './files'

const SYSLINUX_MODULES = '/usr/lib/syslinux/modules/bios'
const ISOLINUX = '/usr/lib/ISOLINUX/isolinux.bin'

/** Options that keep the installer on VGA text: no frame buffer of its own, and no driver that switches to graphics. */
export const INSTALLER_OPTIONS = 'nomodeset vga=normal fb=false'

export function isolinuxIso(architecture: Architecture): string {
  const recipe = [sourceOf(import.meta.url), stamp(installerKernel(architecture)), stamp(installerInitrd(architecture)), stamp(ISOLINUX)]
  return cached(`installer-${architecture}-isolinux.iso`, recipe, (scratch, target) => {
    const tree = join(scratch, 'tree')
    mkdirSync(join(tree, 'isolinux'), { recursive: true })
    copyInstaller(architecture, tree)
    cpSync(ISOLINUX, join(tree, 'isolinux', 'isolinux.bin'))
    for (const module of ['ldlinux.c32', 'menu.c32', 'libutil.c32']) cpSync(join(SYSLINUX_MODULES, module), join(tree, 'isolinux', module))
    writeFileSync(
      join(tree, 'isolinux', 'isolinux.cfg'),
      `UI menu.c32\nPROMPT 0\nTIMEOUT 0\nMENU TITLE Vitrine test CD (ISOLINUX)\nLABEL install\n  MENU LABEL Install Debian ${architecture}\n  KERNEL /install/linux\n  INITRD /install/initrd.gz\n  APPEND ${INSTALLER_OPTIONS}\nLABEL serial\n  MENU LABEL Install Debian ${architecture} on the serial console\n  KERNEL /install/linux\n  INITRD /install/initrd.gz\n  APPEND console=ttyS0\n`,
    )
    tool('xorriso', [
      '-as', 'mkisofs', '-quiet', '-o', target, '-V', 'VITRINE_TEST', '-J', '-r', '-b', 'isolinux/isolinux.bin', '-c', 'isolinux/boot.cat',
      '-no-emul-boot', '-boot-load-size', '4', '-boot-info-table', tree,
    ])
  })
}

export function grubIso(architecture: Architecture): string {
  const recipe = [sourceOf(import.meta.url), stamp(installerKernel(architecture)), stamp(installerInitrd(architecture))]
  return cached(`installer-${architecture}-grub.iso`, recipe, (scratch, target) => {
    const tree = join(scratch, 'tree')
    mkdirSync(join(tree, 'boot', 'grub'), { recursive: true })
    copyInstaller(architecture, tree)
    writeFileSync(
      join(tree, 'boot', 'grub', 'grub.cfg'),
      `set timeout=-1\nset default=0\nmenuentry "Install Debian ${architecture}" {\n  linux /install/linux ${INSTALLER_OPTIONS}\n  initrd /install/initrd.gz\n}\nmenuentry "Install Debian ${architecture} on the serial console" {\n  linux /install/linux console=ttyS0\n  initrd /install/initrd.gz\n}\n`,
    )
    tool('grub-mkrescue', ['-d', '/usr/lib/grub/i386-pc', '-o', target, tree])
  })
}

function copyInstaller(architecture: Architecture, tree: string): void {
  mkdirSync(join(tree, 'install'), { recursive: true })
  cpSync(installerKernel(architecture), join(tree, 'install', 'linux'))
  cpSync(installerInitrd(architecture), join(tree, 'install', 'initrd.gz'))
}
