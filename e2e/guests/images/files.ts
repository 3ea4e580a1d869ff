/** Where Debian's packages put what the guest tests use. */
import { existsSync } from 'node:fs'

export type Architecture = 'amd64' | 'i386'

const installer = (architecture: Architecture): string => `/usr/lib/debian-installer/images/12/${architecture}/text/debian-installer/${architecture}`

export const installerKernel = (architecture: Architecture): string => `${installer(architecture)}/linux`
export const installerInitrd = (architecture: Architecture): string => `${installer(architecture)}/initrd.gz`
export const SEABIOS = '/usr/share/seabios/bios-256k.bin'
export const SEABIOS_VGA = '/usr/share/seabios/vgabios-stdvga.bin'
export const MEMTEST_X64 = '/boot/memtest86+x64.bin'
export const MEMTEST_IA32 = '/boot/memtest86+ia32.bin'
export const IPXE = '/usr/lib/ipxe/ipxe.lkrn'
export const IPXE_ISO = '/usr/lib/ipxe/ipxe.iso'

/** The first of the files that is missing, as the reason to skip a test. */
export function missing(...paths: readonly string[]): string | undefined {
  const path = paths.find((candidate) => !existsSync(candidate))
  return path === undefined ? undefined : `${path} is missing: run npm run setup as root on Debian`
}
