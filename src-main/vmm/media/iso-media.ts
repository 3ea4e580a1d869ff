/** CD and DVD images: what is on them, by label, by the files that installers know themselves by, and by the boot catalogue. */
import { basename } from 'node:path'
import { readBootCatalogue, type BootCatalogue } from './el-torito'
import { Iso } from './iso9660'
import { readLinuxKernel, type LinuxKernel } from './kernel-media'
import type { MediaFile } from './media-file'
import { shownText, type MediaBits, type MediaFirmware, type MediaReason, type MediaWarning, type Recognised } from './media-facts'
import { needsOf, systemByDiskInfo, systemByKernelVersion, systemByLabel, systemByTreeInfo, type KnownSystem } from './systems'

const INFO_BYTES = 4096

/** Files and folders that only one system's discs have. */
const TELLING: readonly { readonly paths: readonly string[]; readonly known: KnownSystem }[] = [
  { paths: ['/sources/install.wim', '/sources/install.esd', '/sources/boot.wim'], known: { system: 'Windows', family: 'windows' } },
  { paths: ['/i386/txtsetup.sif', '/i386/ntldr'], known: { system: 'Windows', family: 'windows', bits: 32 } },
  { paths: ['/reactos/reactos.inf', '/reactos'], known: { system: 'ReactOS', family: 'windows', bits: 32 } },
  { paths: ['/install.amd/vmlinuz', '/install.386/vmlinuz'], known: { system: 'Debian GNU/Linux', family: 'linux' } },
  { paths: ['/casper/vmlinuz', '/casper'], known: { system: 'Ubuntu', family: 'linux' } },
  { paths: ['/arch/boot/x86_64/vmlinuz-linux', '/arch/version'], known: { system: 'Arch Linux', family: 'linux', bits: 64 } },
  { paths: ['/boot/core.gz', '/boot/corepure64.gz', '/cde'], known: { system: 'Tiny Core Linux', family: 'linux' } },
  { paths: ['/apks', '/.alpine-release'], known: { system: 'Alpine Linux', family: 'linux' } },
  { paths: ['/etc/freebsd-update.conf', '/boot/kernel/kernel.gz', '/boot/kernel/kernel'], known: { system: 'FreeBSD', family: 'bsd' } },
  { paths: ['/etc/rc.d/NETBSD', '/netbsd', '/NETBSD'], known: { system: 'NetBSD', family: 'bsd' } },
  { paths: ['/cdboot', '/cdbr', '/bsd.rd'], known: { system: 'OpenBSD', family: 'bsd' } },
  { paths: ['/freedos', '/fdos', '/kernel.sys', '/isolinux/fdboot.img', '/isolinux/fdlive.img'], known: { system: 'FreeDOS', family: 'dos', bits: 16 } },
  { paths: ['/live/vmlinuz', '/live', '/LiveOS/squashfs.img', '/images/pxeboot/vmlinuz'], known: { system: 'Linux', family: 'linux' } },
]

/** Where installers and live systems keep their kernel. */
const KERNELS = [
  '/install.amd/vmlinuz', '/install.386/vmlinuz', '/install/vmlinuz', '/install/linux', '/casper/vmlinuz', '/live/vmlinuz', '/images/pxeboot/vmlinuz', '/isolinux/vmlinuz', '/isolinux/linux',
  '/arch/boot/x86_64/vmlinuz-linux', '/boot/vmlinuz', '/boot/vmlinuz64', '/boot/vmlinuz-lts', '/boot/vmlinuz-virt', '/boot/x86_64/loader/linux', '/boot/i386/loader/linux', '/linux', '/vmlinuz',
]
const EFI_64 = '/EFI/BOOT/BOOTX64.EFI'
const EFI_32 = '/EFI/BOOT/BOOTIA32.EFI'
const EFI_FOREIGN = ['/EFI/BOOT/BOOTAA64.EFI', '/EFI/BOOT/BOOTRISCV64.EFI', '/EFI/BOOT/BOOTARM.EFI']

export async function recogniseIso(file: MediaFile): Promise<Recognised | undefined> {
  const iso = await Iso.open(file)
  if (!iso) return undefined
  const label = shownText(iso.volume.label)
  const why: MediaReason[] = label === '' ? [] : [{ sign: 'volume-label', value: label }]
  const catalogue = iso.volume.bootCatalogue === undefined ? undefined : await readBootCatalogue(file, iso.volume.bootCatalogue)
  const kernel = await findKernel(iso, file)
  const known = await identify(iso, label, kernel, why)
  const [has64, has32] = [(await iso.find(EFI_64)) !== undefined, (await iso.find(EFI_32)) !== undefined]
  const firmware = firmwareOf(catalogue)
  if (catalogue && catalogue.platforms.length > 0) why.push({ sign: 'boot-catalogue', value: catalogue.platforms.map((platform) => NAMES[platform]).join(', ') })
  const both = (await iso.find('/install.amd')) !== undefined && (await iso.find('/install.386')) !== undefined
  const bits: MediaBits | undefined = both ? 64 : (known?.bits ?? kernel?.bits ?? (has64 ? 64 : has32 ? 32 : undefined))
  const foreign = known?.foreign === true || (known?.bits === undefined && !kernel && !has64 && !has32 && (await iso.first(EFI_FOREIGN)) !== undefined)
  const system = known?.system
  const warning = warningOf(iso, catalogue, firmware, foreign, file.bytes)
  const needs = needsOf(system, known?.family, bits)
  return {
    kind: 'iso',
    ...(system === undefined ? {} : { system: shownText(system) }),
    ...(known?.version === undefined || known.version === '' ? {} : { version: shownText(known.version) }),
    ...(known ? { family: known.family } : {}),
    ...(bits === undefined || foreign ? {} : { bits }),
    firmware,
    ...(label === '' ? {} : { label }),
    why,
    suggestion: { name: nameFor(known, label, file.path), ...needs },
    ...(warning === undefined ? {} : { warning }),
  }
}

const NAMES: Readonly<Record<BootCatalogue['platforms'][number], string>> = { x86: 'BIOS', efi: 'UEFI', powerpc: 'PowerPC', mac: 'Mac', unknown: '?' }

/** What the disc says itself comes first, then its label, then what lies on it. */
async function identify(iso: Iso, label: string, kernel: FoundKernel | undefined, why: MediaReason[]): Promise<KnownSystem | undefined> {
  const info = firstLine(await iso.text('/.disk/info', INFO_BYTES))
  const byInfo = info === undefined ? undefined : systemByDiskInfo(info)
  if (info !== undefined && byInfo) {
    why.push({ sign: 'disk-info', value: shownText(info) })
    return byInfo
  }
  const byLabel = systemByLabel(label)
  const tree = await iso.text('/.treeinfo', INFO_BYTES)
  const byTree = tree === undefined ? undefined : systemByTreeInfo(tree)
  if (byTree) {
    why.push({ sign: 'tree-info', value: shownText(`${byTree.system} ${byTree.version ?? ''}`) })
    return { ...byLabel, ...byTree }
  }
  if (byLabel) {
    const file = byLabel.family === 'windows' ? await iso.first(TELLING.flatMap(({ known, paths }) => (known.family === 'windows' ? paths : []))) : undefined
    if (file !== undefined) why.push({ sign: 'file', value: file })
    if (kernel && byLabel.bits === undefined) why.push({ sign: 'file', value: kernel.path })
    return byLabel
  }
  for (const { paths, known } of TELLING) {
    const path = await iso.first(paths)
    if (path === undefined) continue
    why.push({ sign: 'file', value: path })
    return { ...known, ...byKernel(kernel, why) , ...(known.system === 'Linux' ? {} : { system: known.system, family: known.family }) }
  }
  return kernel ? { system: 'Linux', family: 'linux', ...byKernel(kernel, why) } : undefined
}

interface FoundKernel extends LinuxKernel {
  readonly path: string
}

function byKernel(kernel: FoundKernel | undefined, why: MediaReason[]): Partial<KnownSystem> {
  if (!kernel) return {}
  why.push(kernel.version === undefined ? { sign: 'file', value: kernel.path } : { sign: 'kernel-version', value: `${kernel.path}: ${kernel.version}` })
  return { ...(kernel.version === undefined ? {} : systemByKernelVersion(kernel.version)), bits: kernel.bits }
}

async function findKernel(iso: Iso, file: MediaFile): Promise<FoundKernel | undefined> {
  for (const path of KERNELS) {
    const entry = await iso.find(path)
    if (!entry || entry.directory) continue
    const kernel = await readLinuxKernel((offset, length) => file.read(entry.offset + offset, Math.min(length, Math.max(0, entry.bytes - offset))), entry.bytes)
    if (kernel) return { ...kernel, path }
  }
  return undefined
}

function firmwareOf(catalogue: BootCatalogue | undefined): MediaFirmware[] {
  return [...(catalogue?.platforms.includes('x86') ? ['bios' as const] : []), ...(catalogue?.platforms.includes('efi') ? ['uefi' as const] : [])]
}

function warningOf(iso: Iso, catalogue: BootCatalogue | undefined, firmware: readonly MediaFirmware[], foreign: boolean, bytes: number): MediaWarning | undefined {
  // Tools round the size up, and discs were padded: a sector or two do not matter.
  if (iso.volume.unterminated || iso.volume.bytes > bytes + 300 * 1024 || (catalogue && !catalogue.sound)) return 'damaged'
  if (foreign) return 'not-x86'
  if (firmware.includes('bios')) return undefined
  if (firmware.includes('uefi')) return 'uefi-only'
  return catalogue && catalogue.platforms.length > 0 ? 'not-x86' : 'not-bootable'
}

function firstLine(text: string | undefined): string | undefined {
  return text?.split(/[\r\n]/)[0]?.trim()
}

const NAME_LENGTH = 60

/** What tools call a disc that nobody has named. */
const NO_NAME = /^(ISOIMAGE|CDROM|ISO|NEW|NEW_VOLUME|NONAME|UNTITLED|CD_ROM|DISC|VOLUME)?$/i

function nameFor(known: KnownSystem | undefined, label: string, path: string): string {
  const title = NO_NAME.test(label) ? basename(path).replace(/\.\w{1,4}$/, '') : label
  const wanted = known && known.system !== 'Linux' ? `${known.system} ${known.version ?? ''}` : title.replace(/_/g, ' ')
  const name = [...shownText(wanted.replace(/GNU\/Linux/, '').replace(/[/\\:]/g, ' '))].slice(0, NAME_LENGTH).join('').trim()
  return name === '' ? 'Virtual Machine' : name
}
