/** A Debian installation on an IDE disk: GRUB, login, files that survive, power button, a clean file system after. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { copyOf, debianDisk, LOGIN } from './images/debian-disk'
import { missing } from './images/files'
import { runGuest, withScratch } from './run-guest'


describe('Debian on an IDE disk', () => {
  const why = missing('/usr/bin/mmdebstrap', '/usr/lib/grub/i386-pc/boot.img', '/usr/sbin/mke2fs')
  it.skipIf(why !== undefined)(`boots by GRUB, logs in, writes files, powers off by the button, and leaves a clean file system${why ? ` (${why})` : ''}`, async () => {
    await withScratch(async (folder) => {
      const disk = copyOf(debianDisk(), join(folder, 'disk.raw'))
      const run = await runGuest({
        name: 'debian-disk',
        args: ['--memory', '512', '--disk', disk],
        script: [
          ...LOGIN,
          'send dd if=/dev/urandom of=/root/data bs=64k count=64 2>/dev/null; sync; sha256sum /root/data | tee /root/sum; sync\\n',
          'expect [0-9a-f]{64}  /root/data',
          'expect root@vitrine:~#',
          'send echo 3 > /proc/sys/vm/drop_caches; sha256sum -c /root/sum\\n',
          'expect /root/data: OK',
          'expect root@vitrine:~#',
          'power-button',
          'expect reboot: Power down',
        ],
        timeoutSeconds: 850,
      })
      expect(run.errors).toBe('')
      expect(run.status).toBe(0)
      const fileSystem = join(folder, 'root.ext4')
      expect(spawnSync('dd', [`if=${disk}`, `of=${fileSystem}`, 'bs=1M', 'skip=1', 'status=none', 'conv=sparse']).status).toBe(0)
      const fsck = spawnSync('e2fsck', ['-f', '-n', fileSystem], { encoding: 'utf8' })
      expect(`${fsck.status} ${fsck.stdout}`).toMatch(/^0 /)
    })
  })
})
