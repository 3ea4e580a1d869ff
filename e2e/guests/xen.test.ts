/** Debian's stock kernel as a Xen PVH guest: what it says of its hypervisor, its disk (xvda), its console (hvc0), its network adapter, its balloon. */
import { spawnSync } from 'node:child_process'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { busyboxGuest, PROMPT_PATTERN } from './images/busybox-guest'
import { runGuest, withScratch } from './run-guest'

const TIMEOUT_SECONDS = 240
const MIB = 0x100000

const SCRIPT = `
dmesg | grep -iE 'xen|clocksource: Switched'
for f in type guest_type version/major version/minor; do echo "$f: $(cat /sys/hypervisor/$f)"; done
cat /sys/hypervisor/uuid
mount -t ext4 /dev/xvda /mnt && echo mounted
dd if=/dev/urandom of=/mnt/noise bs=1M count=8 2>/dev/null
md5sum < /mnt/noise > /mnt/sum
sync
umount /mnt
echo 3 > /proc/sys/vm/drop_caches
dd if=/dev/xvda of=/dev/null bs=1M count=16 iflag=direct && echo direct
mount -t ext4 /dev/xvda /mnt
md5sum < /mnt/noise | cmp - /mnt/sum && echo same
umount /mnt
grep -o 'xen-percpu.*timer0' /proc/interrupts
echo 180224 > /sys/devices/system/xen_memory/xen_memory0/target_kb
sleep 3
echo "balloon: $(cat /sys/devices/system/xen_memory/xen_memory0/info/current_kb)"
echo 262144 > /sys/devices/system/xen_memory/xen_memory0/target_kb
sleep 3
echo "balloon: $(cat /sys/devices/system/xen_memory/xen_memory0/info/current_kb)"
ip addr add 10.0.0.2/24 dev eth0
ip link set eth0 up
ping -c 3 -s 8000 10.0.0.9 | grep received
(sleep 60 | nc -l -p 77 > /tmp/heard) &
sleep 1
head -c 3000000 /dev/urandom > /tmp/big
nc 10.0.0.9 77 < /tmp/big
sleep 1
cmp /tmp/big /tmp/heard && echo 'sent and heard'
`

describe('a Xen PVH guest', () => {
  it('runs Debian\'s stock kernel on hvc0, with its disk as xvda', async () => {
    await withScratch(async (folder) => {
      const guest = busyboxGuest({ arch: 'amd64', modules: ['xen-blkfront', 'xen-netfront', 'crc32c_generic', 'ext4'], script: SCRIPT })
      const disk = join(folder, 'disk.raw')
      writeFileSync(disk, '')
      truncateSync(disk, 32 * MIB)
      expect(spawnSync('mkfs.ext4', ['-q', '-F', disk]).status).toBe(0)
      const run = await runGuest({
        name: 'xen',
        args: ['--paravirt', 'xen', '--memory', '256', '--kernel', guest.kernel, '--initrd', guest.initramfs, '--append', 'console=hvc0', '--console', 'xen', '--disk', `${disk},bus=xen`, '--nic', 'loopback,model=xen'],
        script: [`expect ${PROMPT_PATTERN}`, 'send stty -a | head -1; echo typed\\n', 'expect typed\\r\\n', `expect ${PROMPT_PATTERN}`, 'send poweroff -f\\n', 'expect never'],
        timeoutSeconds: TIMEOUT_SECONDS,
      })
      for (const text of [
        'Xen version 4.17.', 'Booting kernel on Xen PVH', 'Xen: using vcpuop timer interface', 'Grant tables using version 1 layout', 'clocksource: Switched to clocksource xen',
        'type: xen', 'guest_type: PVH', 'version/major: 4', 'version/minor: 17', 'blkfront: xvda: flush diskcache: enabled', 'mounted', 'direct', 'same', 'xen-percpu', '3 packets received', 'sent and heard',
      ]) expect(run.serial, text).toContain(text)
      const [deflated = 0, inflated = 0] = [...run.serial.matchAll(/balloon: (\d+)/g)].map(([, kib]) => Number(kib))
      expect(deflated).toBeLessThan(inflated)
      expect(spawnSync('fsck.ext4', ['-n', '-f', disk]).status, 'fsck').toBe(0)
    })
  }, (TIMEOUT_SECONDS + 60) * 1000)
})
