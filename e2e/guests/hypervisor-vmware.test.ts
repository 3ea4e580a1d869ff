/** Debian finds VMware's interface: the kernel takes its clock's rate, the mouse follows places, and Debian's open-vm-tools report themselves and obey. */
import { describe, expect, it } from 'vitest'
import { busyboxGuest } from './images/busybox-guest'
import { missing } from './images/files'
import { openVmTools } from './images/open-vm-tools'
import { runGuest, type RunStats } from './run-guest'

const why = missing('/usr/bin/mmdebstrap')
const SCRIPT = `
hostname debian-with-tools
ip link set lo up
ip link add dummy0 type dummy
ip addr add 192.0.2.7/24 dev dummy0
ip link set dummy0 up
dmesg | grep -i -e hypervisor -e vmware -e vmmouse
vmware-checkvm
vmware-rpctool 'info-set guestinfo.note kept'
echo "note $(vmware-rpctool 'info-get guestinfo.note')"
echo "host time $(vmware-toolbox-cmd stat hosttime)"
vmtoolsd &
# the pointer is the one of the two devices that has places
for device in /sys/class/input/event*; do
  [ "$(cat $device/device/capabilities/abs)" = 3 ] && evtest /dev/input/\${device##*/} &
done
`

interface HypervisorStats extends RunStats {
  readonly hypervisor?: { readonly name: string; readonly inUse: readonly string[]; readonly counters: Readonly<Record<string, number>>; readonly guest: Readonly<Record<string, string>> }
}

describe('VMware\'s interface', () => {
  it.skipIf(why !== undefined)(`is used by Debian and its open-vm-tools${why ? ` (${why})` : ''}`, async () => {
    const { kernel, initramfs } = busyboxGuest({ arch: 'amd64', modules: ['psmouse', 'evdev', 'dummy'], programs: ['/usr/bin/evtest'], files: openVmTools(), script: SCRIPT })
    const run = await runGuest({
      name: 'vmware',
      args: ['--memory', '384', '--paravirt', 'vmware', '--kernel', kernel, '--initrd', initramfs, '--append', 'console=ttyS0'],
      script: [
        'expect Testing ... ',
        'pointer 16384 49152',
        'expect ABS_X., value 16384',
        'expect ABS_Y., value 49152',
        'pointer 16384 49152 1',
        'expect BTN_LEFT., value 1',
        // the tools look every half a minute
        'wait 35',
        'shut-down',
        'expect tools shut down: -h now',
        'expect reboot: Power down',
      ],
      timeoutSeconds: 400,
    })
    expect(run.errors).toBe('')
    expect(run.status).toBe(0)
    const { serial } = run
    expect(serial).toContain('Hypervisor detected: VMware')
    expect(serial).toMatch(/vmware: TSC freq read from hypervisor : 1000\.000 MHz/)
    expect(serial).toContain('VMware software version 6 (good)')
    expect(serial).toContain('note kept')
    expect(serial).toMatch(/host time \d+ \w+ \d{4} /)
    const { hypervisor } = run.stats as HypervisorStats
    // the mouse's driver switches the pointer off at the end
    expect(hypervisor?.inUse).toEqual(expect.arrayContaining(['time', 'tools']))
    expect(hypervisor?.counters['pointerReads']).toBeGreaterThan(1)
    expect(hypervisor?.guest).toMatchObject({ address: '192.0.2.7', hostName: 'debian-with-tools' })
  })
})
