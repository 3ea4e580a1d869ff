/** Debian's stock kernels find KVM's interface, use all of it, and say so. */
import { describe, expect, it } from 'vitest'
import { busyboxGuest, PROMPT_PATTERN } from './images/busybox-guest'
import { missing } from './images/files'
import { runGuest, type RunStats } from './run-guest'

const why = missing('/usr/bin/mmdebstrap')
/** What a kernel's log says of the interface, and of what it counts. */
const SCRIPT = `
dmesg | grep -i -e hypervisor -e kvm -e clocksource
echo "clocksource $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
modprobe ptp_kvm
echo "paired $(cat /sys/class/ptp/ptp0/clock_name)"
echo "idle driver $(cat /sys/devices/system/cpu/cpuidle/current_driver)"
echo "date $(date -u +%s)"
dd if=/dev/urandom of=/dev/null bs=64k count=64 2>/dev/null
sleep 1
head -1 /proc/stat
echo all told
`

interface HypervisorStats extends RunStats {
  readonly hypervisor?: { readonly name: string; readonly inUse: readonly string[]; readonly counters: Readonly<Record<string, number>> }
}

describe.each(['amd64', 'i386'] as const)('KVM\'s interface on %s', (arch) => {
  it.skipIf(why !== undefined)(`is used by Debian's kernel${why ? ` (${why})` : ''}`, async () => {
    const { kernel, initramfs } = busyboxGuest({ arch, modulesAtHand: ['ptp_kvm'], script: SCRIPT })
    const run = await runGuest({
      name: `kvm-${arch}`,
      args: ['--memory', '256', '--paravirt', 'kvm', '--kernel', kernel, '--initrd', initramfs, '--append', 'console=ttyS0 cpuidle_haltpoll.force=Y'],
      script: ['expect all told', `expect ${PROMPT_PATTERN}`],
      timeoutSeconds: 300,
    })
    expect(run.errors).toBe('')
    expect(run.status).toBe(0)
    const { serial } = run
    expect(serial).toContain('Hypervisor detected: KVM')
    expect(serial).toMatch(/kvm-clock: Using msrs 4b564d01 and 4b564d00/)
    expect(serial).toContain('clocksource kvm-clock')
    expect(serial).toContain('paired KVM virtual PTP')
    expect(serial).toContain('idle driver haltpoll')
    const date = Number(/date (\d+)/.exec(serial)?.[1])
    expect(Math.abs(date - Date.now() / 1000)).toBeLessThan(300)
    const { hypervisor } = run.stats as HypervisorStats
    expect(hypervisor?.name).toBe('KVM')
    expect(hypervisor?.inUse).toEqual(expect.arrayContaining(['clock', 'steal-time', 'pv-eoi', 'poll-control']))
    const { counters = {} } = hypervisor ?? {}
    expect(counters['eoisSaved']).toBeGreaterThan(100)
    expect(counters['eoisSaved']! / counters['eoisOffered']!).toBeGreaterThan(0.9)
    expect(counters['stealTimeUpdates']).toBeGreaterThan(0)
    expect(counters['hypercalls']).toBeGreaterThan(0)
    expect(counters['unknownHypercalls']).toBe(0)
  })
})
