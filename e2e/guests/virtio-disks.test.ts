/** Debian's stock kernels on virtio disks: what their drivers find, what file systems make of it, and what they refuse. */
import { createHash } from 'node:crypto'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { busyboxGuest, PROMPT_PATTERN } from './images/busybox-guest'
import { missing } from './images/files'
import { runGuest, withScratch } from './run-guest'

const why = missing('/usr/bin/mmdebstrap')
const MIB = 0x100000

const BLOCK = `
echo "serial $(cat /sys/block/vda/serial) sectors $(cat /sys/block/vda/size) queues $(ls /sys/block/vda/mq | wc -l) cache $(cat /sys/block/vda/queue/write_cache)"
echo "blocks $(cat /sys/block/vda/queue/logical_block_size) $(cat /sys/block/vda/queue/physical_block_size) read-only $(cat /sys/block/vdb/ro)"
dd if=/dev/vdb bs=1M 2>/dev/null | md5sum
dd if=/dev/zero of=/dev/vdb bs=4k count=1 2>&1 | head -1
mkfs.ext4 -q /dev/vda && mount /dev/vda /mnt && dd if=/dev/urandom of=/mnt/file bs=1M count=24 conv=fsync 2>/dev/null
sum=$(md5sum </mnt/file); umount /mnt
rmmod virtio_blk && modprobe virtio_blk && mdev -s
e2fsck -f -n /dev/vda >/dev/null 2>&1; echo "fsck $?"
mount /dev/vda /mnt && [ "$sum" = "$(md5sum </mnt/file)" ] && echo "the file is the same"
umount /mnt
echo write through >/sys/block/vda/cache_type; cat /sys/block/vda/cache_type
dd if=/dev/zero of=/dev/vda bs=64k count=16 oflag=direct 2>/dev/null && echo "written through"
echo "zeroes at once $(cat /sys/block/vda/queue/write_zeroes_max_bytes) discard $(cat /sys/block/vda/queue/discard_max_bytes)"
for i in 1 2 3 4; do dd if=/dev/vda of=/dev/null bs=1M iflag=direct 2>/dev/null & done; wait
echo all told
`

describe.each(['amd64', 'i386'] as const)('virtio disks on %s', (arch) => {
  it.skipIf(why !== undefined)(`are found, partitioned and checked by Debian's kernel${why ? ` (${why})` : ''}`, async () => {
    const { kernel, initramfs } = busyboxGuest({ arch, modules: ['virtio_pci', 'virtio_blk', 'crc32c_generic', 'ext4'], programs: ['/sbin/mke2fs', '/sbin/mkfs.ext4', '/sbin/e2fsck'], script: BLOCK })
    await withScratch(async (folder) => {
      const [disk, fixed] = [join(folder, 'disk.img'), join(folder, 'fixed.img')]
      writeFileSync(disk, '')
      truncateSync(disk, 64 * MIB)
      writeFileSync(fixed, Buffer.alloc(3 * MIB, 'vitrine'))
      const run = await runGuest({
        name: `virtio-disks-${arch}`,
        args: ['--memory', '256', '--kernel', kernel, '--initrd', initramfs, '--append', 'console=ttyS0', '--disk', `${disk},bus=virtio`, '--disk', `${fixed},bus=virtio,ro`],
        script: ['expect all told', `expect ${PROMPT_PATTERN}`],
        timeoutSeconds: 600,
      })
      const { serial } = run
      expect(run.errors).toBe('')
      expect(run.status).toBe(0)
      expect(serial).toMatch(/serial VT00001 sectors 131072 queues 1 cache write back/)
      expect(serial).toMatch(/blocks 512 4096 read-only 1/)
      expect(serial).toMatch(/dd: .*(Operation not permitted|Read-only)/)
      expect(serial).toContain('fsck 0')
      expect(serial).toContain('the file is the same')
      expect(serial).toContain('written through')
      expect(serial).toMatch(/zeroes at once [1-9]\d* discard 0/)
      expect(serial).not.toMatch(/I\/O error|reset/)
    })
  })
})

/** Disks are probed side by side: which of them is sda is not said. */
const SCSI = `
find_disks() { mdev -s; a=$(ls /sys/bus/scsi/devices/*:0:0:0/block); b=$(ls /sys/bus/scsi/devices/*:0:1:0/block); }
find_disks
cat /sys/class/scsi_device/*/device/vendor /sys/class/scsi_device/*/device/model
echo "size $(cat /sys/block/$a/size) blocks $(cat /sys/block/$a/queue/physical_block_size) cache $(cat /sys/block/$a/queue/write_cache) read-only $(cat /sys/block/$b/ro)"
echo "serial $(tail -c +5 /sys/block/$a/device/vpd_pg80)"
dd if=/dev/$b bs=1M 2>/dev/null | md5sum
dd if=/dev/zero of=/dev/$b bs=4k count=1 2>&1 | head -1
echo "disc $(dd if=/dev/sr0 bs=64k 2>/dev/null | md5sum)"
mkfs.ext4 -q /dev/$a && mount /dev/$a /mnt && dd if=/dev/urandom of=/mnt/file bs=1M count=16 conv=fsync 2>/dev/null
sum=$(md5sum </mnt/file); umount /mnt
rmmod virtio_scsi && modprobe virtio_scsi && sleep 2 && find_disks
e2fsck -f -n /dev/$a >/dev/null 2>&1; echo "fsck $?"
mount /dev/$a /mnt && [ "$sum" = "$(md5sum </mnt/file)" ] && echo "the file is the same"
umount /mnt
echo all told
`

it.skipIf(why !== undefined)(`SCSI disks and a disc behind virtio serve Debian's kernel${why ? ` (${why})` : ''}`, async () => {
  const { kernel, initramfs } = busyboxGuest({ arch: 'amd64', modules: ['virtio_pci', 'sd_mod', 'sr_mod', 'virtio_scsi', 'crc32c_generic', 'ext4'], programs: ['/sbin/mke2fs', '/sbin/mkfs.ext4', '/sbin/e2fsck'], script: `sleep 2${SCSI}` })
  await withScratch(async (folder) => {
    const [disk, fixed, disc] = [join(folder, 'disk.img'), join(folder, 'fixed.img'), join(folder, 'disc.iso')]
    writeFileSync(disk, '')
    truncateSync(disk, 64 * MIB)
    writeFileSync(fixed, Buffer.alloc(3 * MIB, 'vitrine'))
    const contents = Buffer.alloc(2 * MIB, 'a disc')
    writeFileSync(disc, contents)
    const run = await runGuest({
      name: 'virtio-scsi',
      args: ['--memory', '256', '--kernel', kernel, '--initrd', initramfs, '--append', 'console=ttyS0', '--disk', `${disk},bus=scsi`, '--disk', `${fixed},bus=scsi,ro`, '--cdrom', `${disc},bus=scsi`],
      script: ['expect all told', `expect ${PROMPT_PATTERN}`],
      timeoutSeconds: 600,
    })
    const { serial } = run
    expect(run.errors).toBe('')
    expect(run.status).toBe(0)
    expect(serial).toContain('Vitrine CD-ROM')
    expect(serial).toMatch(/size 131072 blocks 4096 cache write back read-only 1/)
    expect(serial).toContain('serial VT00001')
    expect(serial).toMatch(/dd: .*(Operation not permitted|Read-only)/)
    expect(serial).toContain(`disc ${createHash('md5').update(contents).digest('hex')}`)
    expect(serial).toContain('fsck 0')
    expect(serial).toContain('the file is the same')
    expect(serial).not.toMatch(/I\/O error, dev sd|timing out|FAILED Result/)
  })
})
