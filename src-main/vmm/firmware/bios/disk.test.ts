import { describe, expect, it } from 'vitest'
import { BiosBench, bootableCd, FakeDisk } from './bios.fixture'
import { translatedGeometry } from './services/drives'
import { bootCatalogueLba, parseBootCatalogue } from './services/el-torito'

function numberedDisk(sectors: number): FakeDisk {
  const bytes = new Uint8Array(sectors * 512)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < sectors; i++) view.setUint32(i * 512, i, true)
  return new FakeDisk('disk', bytes)
}
const bench = (...disks: FakeDisk[]): BiosBench => {
  const made = new BiosBench({ disks })
  made.powerOn()
  return made
}
/** A disk address packet at 0000:0600. */
function packet(b: BiosBench, count: number, address: number, lba: number): void {
  b.memory.view.setUint16(0x600, 0x10, true)
  b.memory.view.setUint16(0x602, count, true)
  b.memory.view.setUint16(0x604, address & 15, true)
  b.memory.view.setUint16(0x606, address >> 4, true)
  b.memory.view.setBigUint64(0x608, BigInt(lba), true)
}

describe('translated geometry', () => {
  it.each([
    [2880, 2, 16], [1024 * 16 * 63, 1024, 16], [1024 * 16 * 63 + 1, 512, 32], [10_000_000, 622, 255], [2 ** 40, 1024, 255], [10, 1, 16],
  ])('%i sectors: %i cylinders, %i heads, 63 sectors', (sectors, cylinders, heads) => {
    expect(translatedGeometry(sectors)).toEqual({ cylinders, heads, sectors: 63 })
  })
})

describe('INT 13h', () => {
  it('reads sectors by cylinder, head and sector', () => {
    const b = bench(numberedDisk(63 * 16 * 3))
    const r = b.call(0x13, { eax: 0x0202, ebx: 0x0800, ecx: 0x0105, edx: 0x0380, es: 0x1000 })
    expect(r.carry).toBe(false)
    expect(r.ah).toBe(0)
    expect(r.al).toBe(2)
    const lba = (1 * 16 + 3) * 63 + 4
    expect(b.memory.view.getUint32(0x10800, true)).toBe(lba)
    expect(b.memory.view.getUint32(0x10a00, true)).toBe(lba + 1)
  })

  it.each([
    ['sector 0', { ecx: 0 }], ['a head that is not there', { ecx: 1, edx: 0x1080 }], ['beyond the end', { ecx: 0x403f, edx: 0x0f80 }],
  ])('refuses %s', (_, registers) => {
    const r = bench(numberedDisk(63 * 16 * 3)).call(0x13, { eax: 0x0201, edx: 0x80, es: 0x1000, ...registers })
    expect(r.carry).toBe(true)
    expect(r.ah).toBe(4)
  })

  it('waits without finishing while the host reads, and starts anew after a load', () => {
    const disk = numberedDisk(100)
    const b = bench(disk)
    disk.isSlow = true
    packet(b, 1, 0x20000, 7)
    expect(b.begin(0x13, { eax: 0x4200, edx: 0x80, esi: 0x600 })).toBe(false)
    expect(b.again()).toBe(false)
    expect(b.context.progress & 0x8000).toBe(0)
    b.bios.load(b.bios.save())
    disk.isSlow = false
    expect(b.again()).toBe(true)
    expect(b.context.carry).toBe(false)
    expect(b.memory.view.getUint32(0x20000, true)).toBe(7)
  })

  it('writes by block address, and a read-only disk refuses', () => {
    const disk = numberedDisk(100)
    const b = bench(disk)
    b.memory.bytes.fill(0xab, 0x20000, 0x20200)
    packet(b, 1, 0x20000, 99)
    expect(b.call(0x13, { eax: 0x4300, edx: 0x80, esi: 0x600 }).carry).toBe(false)
    expect(disk.bytes[99 * 512 + 511]).toBe(0xab)
    disk.readOnly = true
    expect(b.call(0x13, { eax: 0x4300, edx: 0x80, esi: 0x600 }).ah).toBe(3)
  })

  it('refuses blocks beyond the end and moves nothing', () => {
    const b = bench(numberedDisk(100))
    packet(b, 2, 0x20000, 99)
    const r = b.call(0x13, { eax: 0x4200, edx: 0x80, esi: 0x600 })
    expect(r.carry).toBe(true)
    expect(b.memory.view.getUint16(0x602, true)).toBe(0)
    b.memory.view.setBigUint64(0x608, 0xffffffffffffffffn, true)
    expect(b.call(0x13, { eax: 0x4200, edx: 0x80, esi: 0x600 }).carry).toBe(true)
  })

  it('says what extensions there are, and the size in sectors', () => {
    const b = bench(numberedDisk(5000))
    const r = b.call(0x13, { eax: 0x4100, ebx: 0x55aa, edx: 0x80 })
    expect([r.carry, r.bx, r.cx & 1, r.ah]).toEqual([false, 0xaa55, 1, 0x30])
    b.memory.view.setUint16(0x600, 0x1e, true)
    expect(b.call(0x13, { eax: 0x4800, edx: 0x80, esi: 0x600 }).carry).toBe(false)
    expect(b.memory.view.getBigUint64(0x610, true)).toBe(5000n)
    expect(b.memory.view.getUint16(0x618, true)).toBe(512)
  })

  it('gives geometry and number of drives; a drive that is not there is an error', () => {
    const b = bench(numberedDisk(63 * 16 * 700), numberedDisk(100))
    const r = b.call(0x13, { eax: 0x0800, edx: 0x80 })
    expect([r.carry, r.ch, r.cl, r.dh, r.dl]).toEqual([false, 699 & 0xff, 63 | ((699 >> 2) & 0xc0), 15, 2])
    expect(b.call(0x13, { eax: 0x0800, edx: 0x82 }).carry).toBe(true)
    expect(b.call(0x13, { eax: 0x1500, edx: 0x81 }).ah).toBe(3)
    expect(b.call(0x13, { eax: 0x0201, ecx: 1, edx: 0x00, es: 0x1000 }).ah).toBe(0x80)
  })

  it('reports a medium that cannot be read', () => {
    const disk = numberedDisk(100)
    const b = bench(disk)
    disk.isBroken = true
    const r = b.call(0x13, { eax: 0x0201, ecx: 1, edx: 0x80, es: 0x1000 })
    expect([r.carry, r.ah, r.al]).toEqual([true, 0x20, 0])
    expect(b.call(0x13, { eax: 0x0100, edx: 0x80 }).ah).toBe(0x20)
  })

  it('reads 2048-byte sectors of a CD, and locks its tray', () => {
    const b = bench(new FakeDisk('cdrom', new Uint8Array(30 * 2048).fill(3)))
    packet(b, 2, 0x20000, 5)
    expect(b.call(0x13, { eax: 0x4200, edx: 0xe0, esi: 0x600 }).carry).toBe(false)
    expect(b.memory.bytes[0x20000 + 4095]).toBe(3)
    expect(b.call(0x13, { eax: 0x4500, edx: 0xe0 }).al).toBe(1)
    expect(b.call(0x13, { eax: 0x4600, edx: 0xe0 }).ah).toBe(0xb1)
    expect(b.call(0x13, { eax: 0x4501, edx: 0xe0 }).al).toBe(0)
    expect(b.call(0x13, { eax: 0x4501, edx: 0xe0 }).ah).toBe(0xb0)
  })
})

describe('boot catalogue', () => {
  it('finds the entry for a PC', () => {
    const cd = bootableCd(0, new Uint8Array(2048))
    expect(bootCatalogueLba(cd.subarray(17 * 2048, 18 * 2048))).toBe(19)
    expect(parseBootCatalogue(cd.subarray(19 * 2048, 20 * 2048))).toEqual({ media: 0, loadSegment: 0x7c0, sectorCount: 4, lba: 20 })
  })
  it('refuses a wrong checksum, a foreign platform and what is no catalogue', () => {
    const sector = (change: (cd: Uint8Array) => void, platform = 0): Uint8Array => {
      const cd = bootableCd(0, new Uint8Array(2048), { platform })
      change(cd)
      return cd.subarray(19 * 2048, 20 * 2048)
    }
    expect(parseBootCatalogue(sector((cd) => cd.fill(1, 19 * 2048 + 4, 19 * 2048 + 5)))).toBeUndefined()
    expect(parseBootCatalogue(sector(() => undefined, 0xef))).toBeUndefined()
    expect(parseBootCatalogue(new Uint8Array(2048))).toBeUndefined()
    expect(bootCatalogueLba(new Uint8Array(2048))).toBeUndefined()
  })
  it('takes the first bootable entry of a section for a PC', () => {
    const cd = bootableCd(0, new Uint8Array(2048), { platform: 0xef })
    const at = 19 * 2048 + 64
    cd.set([0x91, 0, 1, 0], at)
    cd.set([0x88, 0, 0, 0, 0, 0, 8, 0, 33, 0, 0, 0], at + 32)
    expect(parseBootCatalogue(cd.subarray(19 * 2048, 20 * 2048))).toEqual({ media: 0, loadSegment: 0x7c0, sectorCount: 8, lba: 33 })
  })
  it('does not run off a catalogue full of section headers', () => {
    const cd = bootableCd(0, new Uint8Array(2048), { platform: 0xef })
    const sector = cd.subarray(19 * 2048, 20 * 2048)
    for (let at = 64; at < 2048; at += 32) sector.set([0x90, 0, 0xff, 0xff], at)
    expect(parseBootCatalogue(sector)).toBeUndefined()
  })
})

describe('booting', () => {
  const boot = (b: BiosBench): string => {
    b.call(0x19)
    return b.target
  }
  const bootable = (): FakeDisk => {
    const disk = numberedDisk(100)
    disk.bytes.set([0x55, 0xaa], 510)
    return disk
  }

  it('loads the boot sector of a disk and enters it with the drive in DL', () => {
    const b = bench(bootable())
    expect(boot(b)).toBe('0000:7c00')
    expect(b.context.dl).toBe(0x80)
    expect(b.memory.view.getUint16(0x7dfe, true)).toBe(0xaa55)
  })

  it('says why a disk does not boot, and goes on to the CD', () => {
    const b = bench(numberedDisk(100), new FakeDisk('cdrom', bootableCd(0, new Uint8Array(2048).fill(0x90))))
    expect(boot(b)).toBe('07c0:0000')
    expect(b.context.dl).toBe(0xe0)
    expect(b.memory.bytes[0x7c00]).toBe(0x90)
    expect(b.row(0)).toBe('Disk fake: not bootable (no boot signature)')
    b.call(0x13, { eax: 0x4b01, edx: 0xe0, esi: 0x600 })
    expect(b.context.carry).toBe(false)
    expect([...b.memory.bytes.subarray(0x600, 0x603)]).toEqual([0x13, 0, 0xe0])
  })

  it('plays a diskette from a CD', () => {
    const image = new Uint8Array(2880 * 512)
    new DataView(image.buffer).setUint32(3 * 512, 0x12345678, true)
    const first = new BiosBench({ disks: [new FakeDisk('cdrom', bootableCd(2, image))], bootOrder: ['cdrom'] })
    first.powerOn()
    expect(boot(first)).toBe('0000:7c00')
    expect(first.context.dl).toBe(0)
    const r = first.call(0x13, { eax: 0x0201, ecx: 4, edx: 0, es: 0x1000 })
    expect(r.carry).toBe(false)
    expect(first.memory.view.getUint32(0x10000, true)).toBe(0x12345678)
    const shape = first.call(0x13, { eax: 0x0800, edx: 0 })
    expect([shape.ch, shape.cl, shape.dh, shape.dl, shape.bl]).toEqual([79, 18, 1, 1, 4])
    expect(first.call(0x13, { eax: 0x0301, ecx: 4, edx: 0, es: 0x1000 }).ah).toBe(3)
    expect(first.call(0x13, { eax: 0x4b00, edx: 0, esi: 0x600 }).carry).toBe(false)
    expect(first.call(0x13, { eax: 0x0201, ecx: 4, edx: 0, es: 0x1000 }).carry).toBe(true)
  })

  it('waits for a key when nothing boots, halting', () => {
    const b = bench()
    expect(b.begin(0x19)).toBe(false)
    expect(b.context.progress & 0x8000).toBe(0x8000)
    expect(b.row(0)).toBe('There is no disk or CD in this machine.')
    expect(b.row(2)).toContain('Nothing to boot from.')
  })

  it('refuses a boot image outside of the medium', () => {
    const cd = bootableCd(0, new Uint8Array(2048))
    new DataView(cd.buffer).setUint32(19 * 2048 + 40, 0xfffffff0, true)
    const b = bench(new FakeDisk('cdrom', cd))
    expect(b.begin(0x19)).toBe(false)
    expect(b.row(0)).toContain('the boot image lies outside of the medium')
  })

  it('offers the menu after F12, and remembers the choice', () => {
    const b = bench(bootable(), new FakeDisk('cdrom', bootableCd(0, new Uint8Array(2048))))
    expect(b.begin(0x101)).toBe(false)
    // F12 and 2 in the keyboard buffer.
    b.memory.view.setUint16(0x41e, 0x8600, true)
    b.memory.view.setUint16(0x420, 0x0332, true)
    b.memory.view.setUint16(0x41c, 0x22, true)
    expect(b.again()).toBe(true)
    b.call(0x19)
    expect(b.context.dl).toBe(0xe0)
    expect(b.bios.save().bootTarget).toBe(1)
  })
})
