import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { elf, linuxImage, multibootHeader, PT_LOAD, PT_NOTE, pvhNote } from '../firmware/direct-boot/images.fixture'
import { describeMedia } from './describe-media'
import { ESP, gpt, iso, LINUX_DATA, mbr, record, SECTOR, withUdf } from './media.fixture'
import type { MediaFacts } from './media-facts'
import { architectureOf, systemByDiskInfo, systemByLabel } from './systems'

let folder: string
let number = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-media-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function facts(bytes: Uint8Array, name: string = 'file'): Promise<MediaFacts> {
  const path = join(folder, `${number++}-${name}`)
  writeFileSync(path, bytes)
  const result = await describeMedia(path)
  if (!result.ok) throw new Error(result.problem.message)
  return result.value
}

const kernel = (version: string, bits: 32 | 64): Uint8Array => {
  const image = linuxImage({ version: 0x20f, xloadFlags: bits === 64 ? 1 : 0, code: new Uint8Array(64) })
  image.set(new TextEncoder().encode(`${version}\0`), 0x400)
  new DataView(image.buffer).setUint16(0x20e, 0x200, true)
  return image
}

describe('discs', () => {
  it.each([
    ['Debian 12.5.0 amd64 n', { system: 'Debian GNU/Linux', version: '12.5.0', bits: 64, family: 'linux' }],
    ['Debian 12.5.0 i386 n', { system: 'Debian GNU/Linux', bits: 32 }],
    ['Debian 12.5.0 arm64 n', { system: 'Debian GNU/Linux', foreign: true }],
    ['Ubuntu-Server 22.04.1 LTS amd64', { system: 'Ubuntu-Server', version: '22.04.1 LTS', bits: 64 }],
    ['Ubuntu 24.04 LTS amd64', { system: 'Ubuntu', version: '24.04 LTS', bits: 64 }],
    ['Fedora-WS-Live-39-1-5', { system: 'Fedora Linux', version: '39' }],
    ['Fedora-S-dvd-x86_64-40', { system: 'Fedora Linux', version: '40', bits: 64 }],
    ['Rocky-9-3-x86_64-dvd', { system: 'Rocky Linux', version: '9.3', bits: 64 }],
    ['CentOS 7 x86_64', { system: 'CentOS', version: '7', bits: 64 }],
    ['ARCH_202402', { system: 'Arch Linux', version: '2024.02', bits: 64 }],
    ['alpine-virt 3.19.1 x86', { system: 'Alpine Linux', version: '3.19.1', bits: 32 }],
    ['alpine-std 3.19.1 x86_64', { system: 'Alpine Linux', bits: 64 }],
    ['openSUSE-Leap-15.5-DVD-x86_64241', { system: 'openSUSE Leap', version: '15.5' }],
    ['14_1_RELEASE_AMD64_CD', { system: 'FreeBSD', version: '14.1', family: 'bsd', bits: 64 }],
    ['13_2_RELEASE_I386_BO', { system: 'FreeBSD', version: '13.2', bits: 32 }],
    ['OpenBSD/amd64   7.4 Install CD', { system: 'OpenBSD', version: '7.4', bits: 64 }],
    ['FD13-LiveCD', { system: 'FreeDOS', version: '1.3', family: 'dos', bits: 16 }],
    ['CCCOMA_X64FRE_EN-US_DV9', { system: 'Windows', family: 'windows', bits: 64 }],
    ['CCCOMA_A64FRE_EN-US_DV9', { system: 'Windows', foreign: true }],
    ['GRMCULXFRER_EN_DVD', { system: 'Windows 7', bits: 64 }],
    ['GRMCULFRER_EN_DVD', { system: 'Windows 7', bits: 32 }],
    ['GRTMPVOL_EN', { system: 'Windows XP', bits: 32 }],
    ['MT86PLUS_64', { system: 'Memtest86+', family: 'other' }],
  ] as [string, object][])('knows %s', (label, expected) => expect(systemByLabel(label)).toMatchObject(expected))

  it('does not know what says nothing', () => {
    for (const label of ['', 'ISOIMAGE', 'MY_BACKUP', 'CDROM', 'Debianish', 'x'.repeat(32)]) expect(systemByLabel(label)).toBeUndefined()
    expect(architectureOf('a disc for aarch64')).toEqual({ foreign: true })
    expect(architectureOf('something')).toEqual({})
  })

  it.each([
    ['Debian GNU/Linux 12.5.0 "Bookworm" - Official amd64 NETINST with firmware 20240210-11:27', { system: 'Debian GNU/Linux', version: '12.5.0', bits: 64 }],
    ['Ubuntu-Server 22.04.1 LTS "Jammy Jellyfish" - Release amd64 (20220809)', { system: 'Ubuntu-Server', version: '22.04.1 LTS', bits: 64 }],
    ['Linux Mint 21.3 "Virginia" - Release amd64 20240112', { system: 'Linux Mint', version: '21.3', bits: 64 }],
    ['Debian GNU/Linux 11.0 "Bullseye" - Official arm64 NETINST', { system: 'Debian GNU/Linux', foreign: true }],
  ] as [string, object][])('reads .disk/info: %s', (line, expected) => expect(systemByDiskInfo(line)).toMatchObject(expected))

  it.each(['plain', 'rock-ridge', 'joliet'] as const)('finds files by their %s names', async (names) => {
    const image = iso({ label: 'Debian 12.5.0 amd64 n', names, boot: [0, 0xef], files: { '.disk/info': 'Debian GNU/Linux 12.5.0 "Bookworm" - Official amd64 NETINST\n', 'install.amd/vmlinuz': kernel('6.1.0', 64), 'EFI/BOOT/BOOTX64.EFI': 'MZ' } })
    expect(await facts(image)).toMatchObject({
      kind: 'iso', system: 'Debian GNU/Linux', version: '12.5.0', family: 'linux', bits: 64, firmware: ['bios', 'uefi'], label: 'Debian 12.5.0 amd64 n',
      suggestion: { name: 'Debian 12.5.0', memoryMiB: 1024 },
      why: [{ sign: 'volume-label' }, { sign: 'disk-info', value: 'Debian GNU/Linux 12.5.0 "Bookworm" - Official amd64 NETINST' }, { sign: 'boot-catalogue', value: 'BIOS, UEFI' }],
    })
    expect((await facts(image)).warning).toBeUndefined()
  })

  it('knows a disc by the kernel that lies on it', async () => {
    const image = iso({ label: 'VITRINE_TEST', names: 'rock-ridge', boot: [0], files: { 'install/linux': kernel('6.1.0-9-686 (debian-kernel@lists.debian.org) #1 SMP Debian', 32) } })
    expect(await facts(image)).toMatchObject({ system: 'Debian GNU/Linux', bits: 32, why: [{ value: 'VITRINE_TEST' }, { sign: 'kernel-version' }, { sign: 'boot-catalogue' }] })
  })

  it.each([false, true])('finds the files of a disc that has them in UDF only, with wide names: %s', async (wide) => {
    const windows = withUdf(iso({ label: 'MY_WINDOWS', boot: [0, 0xef], files: { 'README.TXT': 'x' } }), 'sources', 'install.wim', wide)
    expect(await facts(windows)).toMatchObject({ system: 'Windows', family: 'windows', why: [{ value: 'MY_WINDOWS' }, { sign: 'file', value: '/sources/install.wim' }, { sign: 'boot-catalogue' }] })
    let seed = 3
    for (let round = 0; round < 60; round++) {
      const bad = windows.slice()
      for (let i = 0; i < 20; i++) {
        seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
        bad[256 * SECTOR + (seed % (30 * SECTOR))] = seed >>> 24
        bad[[256, 260, 261, 270, 271, 273, 274][i % 7]! * SECTOR + (seed % 220)] = seed >>> 16
      }
      expect((await facts(bad)).kind).toBe('iso')
    }
  })

  it('says what will not boot, and why', async () => {
    expect(await facts(iso({ boot: [0xef] }))).toMatchObject({ firmware: ['uefi'], warning: 'uefi-only' })
    expect(await facts(iso())).toMatchObject({ firmware: [], warning: 'not-bootable' })
    expect(await facts(iso({ label: 'Debian 12.5.0 arm64 n', boot: [0xef] }))).toMatchObject({ warning: 'not-x86' })
    expect(await facts(iso({ boot: [0xef], files: { 'EFI/BOOT/BOOTAA64.EFI': 'MZ' } }))).toMatchObject({ warning: 'not-x86' })
    expect(await facts(iso({ boot: [0], volumeSectors: 100_000 }))).toMatchObject({ warning: 'damaged' })
    const wrong = iso({ boot: [0] })
    wrong[22 * SECTOR + 5] = 1
    expect(await facts(wrong)).toMatchObject({ warning: 'damaged' })
  })

  it('names a VM after the file when the disc has no name', async () => {
    expect((await facts(iso({ label: 'ISOIMAGE', boot: [0] }), 'Some_System.iso')).suggestion?.name).toMatch(/Some System$/)
  })

  it('is not fooled: folders in themselves, extents beyond the end, names that lie, control characters', async () => {
    const looping = iso({ boot: [0], files: { 'a/b': 'x' } })
    // The folder "a" has its parent's place.
    const root = 24 * SECTOR
    const at = root + 68
    new DataView(looping.buffer).setUint32(at + 2, 24, true)
    expect(await facts(looping)).toMatchObject({ kind: 'iso' })
    const huge = iso({ boot: [0], files: { 'casper/vmlinuz': 'x' } })
    new DataView(huge.buffer).setUint32(root + 68 + 10, 0xffffffff, true)
    new DataView(huge.buffer).setUint32(16 * SECTOR + 156 + 10, 0xffffffff, true)
    new DataView(huge.buffer).setUint32(16 * SECTOR + 156 + 2, 0xfffffff0, true)
    expect(await facts(huge)).toMatchObject({ kind: 'iso' })
    const lying = iso({ boot: [0] })
    lying.set(record({ sector: 0xffffffff, bytes: 0xffffffff }, 'NAME'), root)
    lying[root + 32] = 255
    expect(await facts(lying)).toMatchObject({ kind: 'iso' })
    expect((await facts(iso({ label: 'a\u0007\u001b[31mb' }))).label).not.toMatch(/\p{Cc}/u)
  })

  it('answers whatever is done to a disc', async () => {
    const good = iso({ label: 'Debian 12.5.0 amd64 n', names: 'rock-ridge', boot: [0, 0xef], files: { '.disk/info': 'Debian GNU/Linux 12.5.0 "Bookworm" - Official amd64', 'install.amd/vmlinuz': kernel('6.1', 64) } })
    let seed = 7
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return seed % below
    }
    for (let round = 0; round < 60; round++) {
      const bad = good.slice(0, round % 3 === 0 ? random(good.length) : good.length)
      for (let i = 0; i < 30 && bad.length > 0; i++) bad[(16 * SECTOR + random(12 * SECTOR)) % bad.length] = random(256)
      expect(['iso', 'unknown', 'disk']).toContain((await facts(bad)).kind)
    }
  })
})

describe('disks', () => {
  it('reads partition tables', async () => {
    expect(await facts(mbr([[0x83, 4, 8]], 64))).toMatchObject({ kind: 'disk', firmware: ['bios'], why: [{ sign: 'partition-table', value: 'MBR, 1' }] })
    expect(await facts(mbr([[0x83, 4, 8]], 64, false))).toMatchObject({ firmware: [], warning: 'not-bootable' })
    expect(await facts(mbr([[0x83, 4000, 8]], 64))).toMatchObject({ warning: 'damaged' })
    expect(await facts(gpt([ESP, LINUX_DATA], 64, false))).toMatchObject({ firmware: ['uefi'], warning: 'uefi-only', why: [{ value: 'GPT, 2' }] })
    expect(await facts(gpt([ESP, LINUX_DATA], 64, true))).toMatchObject({ firmware: ['bios', 'uefi'] })
    expect(await facts(gpt(Array.from({ length: 20 }, () => LINUX_DATA), 64, true).slice(0, 2048))).toMatchObject({ warning: 'damaged' })
  })

  it('is not misled by the Multiboot header of a boot loader', async () => {
    const disk = mbr([[0x83, 32, 8]], 64)
    disk.set(multibootHeader(0), 1024)
    expect(await facts(disk)).toMatchObject({ kind: 'disk' })
    expect(await facts(disk.slice(1024))).toMatchObject({ kind: 'multiboot-kernel' })
  })

  it('reads boot sectors, empty images and other formats', async () => {
    const fat = mbr([], 32)
    fat.set([0xeb, 0x3c, 0x90], 0)
    fat.set(new TextEncoder().encode('FAT16   '), 54)
    expect(await facts(fat)).toMatchObject({ kind: 'disk', firmware: ['bios'], why: [{ sign: 'boot-sector', value: 'FAT' }] })
    expect(await facts(new Uint8Array(4096), 'empty.img')).toMatchObject({ kind: 'disk', warning: 'not-bootable' })
    expect(await facts(new Uint8Array(4097), 'odd.img')).toMatchObject({ kind: 'unknown' })
    expect(await facts(new Uint8Array(4096), 'empty.txt')).toMatchObject({ kind: 'unknown' })
    expect(await facts(Uint8Array.of(0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3), 'x.qcow2')).toMatchObject({ kind: 'disk', warning: 'other-format', why: [{ value: 'QCOW2' }] })
  })

  it('takes a sparse terabyte for what it is, at once', async () => {
    const path = join(folder, 'big.img')
    writeFileSync(path, mbr([[0x83, 4, 8]], 1))
    truncateSync(path, 2 ** 40)
    expect(await describeMedia(path)).toMatchObject({ ok: true, value: { kind: 'disk', bytes: 2 ** 40 } })
  })
})

describe('kernels', () => {
  it('reads the version and the bits of Linux', async () => {
    const version = '6.1.0-21-amd64 (debian-kernel@lists.debian.org) #1 SMP'
    expect(await facts(kernel(version, 64))).toMatchObject({ kind: 'linux-kernel', system: 'Debian GNU/Linux', version: '6.1.0-21-amd64', bits: 64, why: [{ value: 'Linux/x86 2.15' }, { value: version }] })
    expect(await facts(kernel('5.10', 32))).toMatchObject({ system: 'Linux', version: '5.10', bits: 32 })
    expect(await facts(kernel('5.10', 32).slice(0, 0x300))).toMatchObject({ kind: 'linux-kernel', warning: 'damaged' })
  })

  it('reads Multiboot and PVH', async () => {
    const code = new Uint8Array(64)
    expect(await facts(elf(32, 0x100000, [{ type: PT_LOAD, address: 0x100000, bytes: Uint8Array.from([...multibootHeader(0), ...code]) }]))).toMatchObject({ kind: 'multiboot-kernel', bits: 32, why: [{ value: 'Multiboot 1' }, { value: 'ELF32' }] })
    expect(await facts(elf(64, 0x100000, [{ type: PT_LOAD, address: 0x100000, bytes: code }, { type: PT_NOTE, address: 0, bytes: pvhNote(0x100000) }]))).toMatchObject({ kind: 'multiboot-kernel', bits: 64, why: [{ value: 'PVH' }, { value: 'ELF64' }] })
    expect(await facts(elf(64, 0x100000, [{ type: PT_LOAD, address: 0x100000, bytes: code }]))).toMatchObject({ kind: 'unknown' })
  })

  it('reads archives, and what they are packed in', async () => {
    const cpio = new TextEncoder().encode(`070701${'0'.repeat(200)}`)
    expect(await facts(cpio)).toMatchObject({ kind: 'initrd', why: [{ value: 'cpio' }] })
    expect(await facts(gzipSync(cpio))).toMatchObject({ kind: 'initrd', why: [{ value: 'gzip, cpio' }] })
    expect(await facts(gzipSync(new TextEncoder().encode('a letter')))).toMatchObject({ kind: 'unknown' })
    expect(await facts(gzipSync(new Uint8Array(1 << 26)))).toMatchObject({ kind: 'unknown' })
    expect(await facts(Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3))).toMatchObject({ kind: 'unknown' })
    expect(await facts(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0))).toMatchObject({ kind: 'initrd', why: [{ value: 'zstd' }] })
  })
})

describe('firmware', () => {
  it('is told by its reset vector', async () => {
    const bios = new Uint8Array(128 << 10)
    bios.set([0xea, 0x5b, 0xe0, 0, 0xf0], bios.length - 16)
    expect(await facts(bios)).toMatchObject({ kind: 'firmware', firmware: ['bios'] })
    bios.set(new TextEncoder().encode('SeaBIOS (version 1.16.2)'), 1000)
    expect(await facts(bios)).toMatchObject({ system: 'SeaBIOS', version: '1.16.2' })
    bios.set(new TextEncoder().encode('_FVH'), 40)
    bios.set(new Uint8Array(24), 1000)
    expect(await facts(bios)).toMatchObject({ system: 'UEFI', firmware: ['uefi'] })
    const rom = new Uint8Array(32768)
    rom.set([0x55, 0xaa, 64])
    expect(await facts(rom)).toMatchObject({ kind: 'firmware', why: [{ value: 'option ROM' }] })
  })
})

describe('everything else', () => {
  it('knows VMs, and says what is wrong with a path', async () => {
    const vm = join(folder, 'A.vitrine')
    mkdirSync(vm)
    expect(await describeMedia(vm)).toMatchObject({ ok: false, problem: { id: 'folder-without-vm-json' } })
    writeFileSync(join(vm, 'vm.json'), JSON.stringify({ version: 1, id: '0f8fad5b-d9cb-469f-a165-70867728950e', name: 'A' }))
    for (const path of [vm, join(vm, 'vm.json')]) expect(await describeMedia(path)).toMatchObject({ ok: true, value: { kind: 'vm', label: 'A' } })
    expect(await describeMedia(join(folder, 'none'))).toMatchObject({ ok: false, problem: { id: 'file-missing' } })
    expect(await describeMedia('/dev/null')).toMatchObject({ ok: false, problem: { id: 'media-not-a-file' } })
    expect(await facts(new Uint8Array(0))).toMatchObject({ kind: 'unknown', bytes: 0 })
    expect(await facts(new TextEncoder().encode('hello'))).toMatchObject({ kind: 'unknown' })
  })
})
