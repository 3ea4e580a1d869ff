import { describe, expect, it } from 'vitest'
import { parseRunOptions } from './options'

const machine = (...args: string[]): ReturnType<typeof parseRunOptions>['machine'] => parseRunOptions(args).machine

describe('options for guests that know', () => {
  it('default to a PC that tells little', () => {
    expect(machine()).toMatchObject({ board: 'pc', paravirt: 'minimal' })
    expect(machine('--board', 'microvm', '--kernel', 'k')).toMatchObject({ board: 'microvm', paravirt: 'kvm' })
  })

  it('take a bus and read-only off the end of a path, in any order', () => {
    expect(machine('--disk', 'a,b.img,bus=virtio,ro', '--disk', 'c.img,ro,bus=scsi', '--disk', 'x,y', '--cdrom', 'd.iso,bus=scsi')).toMatchObject({
      disks: [{ path: 'a,b.img', readOnly: true, bus: 'virtio' }, { path: 'c.img', readOnly: true, bus: 'scsi' }, { path: 'x,y', readOnly: false }],
      cdroms: [{ path: 'd.iso', bus: 'scsi' }],
    })
  })

  it('know networks, shares, sockets and the rest', () => {
    const options = machine('--nic', 'loopback,mac=52:54:00:AB:cd:01', '--nic', 'pcap:/tmp/a,b.pcap,model=xen', '--nic', 'none', '--share', '/srv/a,tag=files,ro', '--balloon', '--rng', '--vsock', '7,/tmp/s', '--console', 'virtio', '--pointer', 'virtio')
    expect(options).toMatchObject({
      nics: [{ model: 'virtio', network: { kind: 'loopback' }, mac: '52:54:00:ab:cd:01' }, { model: 'xen', network: { kind: 'pcap', path: '/tmp/a,b.pcap' } }],
      shares: [{ path: '/srv/a', tag: 'files', readOnly: true }],
      balloon: true, rng: true, vsock: { cid: 7, socketFolder: '/tmp/s' }, consoles: ['virtio'], pointer: 'virtio',
    })
  })

  it('name features to leave out', () => {
    expect(machine('--paravirt', 'kvm,pv-eoi=off,clock=off')).toMatchObject({ paravirt: 'kvm', paravirtDisabled: ['pv-eoi', 'clock'] })
  })

  it.each([
    [['--board', 'pc98'], '--board pc98'],
    [['--board', 'microvm'], 'add --kernel'],
    [['--board', 'microvm', '--kernel', 'k', '--firmware', 'builtin'], '--firmware'],
    [['--board', 'microvm', '--kernel', 'k', '--disk', 'a,bus=ide'], 'no IDE controller'],
    [['--board', 'microvm', '--kernel', 'k', '--display', 'vga'], 'no VGA'],
    [['--disk', 'a,bus=usb'], 'choose ide or virtio'],
    [['--disk', 'a,ro,ro'], 'says ro twice'],
    [['--disk', 'a,bus=xen'], '--paravirt xen'],
    [['--paravirt', 'kvm,pv-eoi'], 'FEATURE=off'],
    [['--paravirt', 'kvm,=off'], 'FEATURE=off'],
    [['--disk', ',ro'], 'no path'],
    [['--disk', 'a', '--disk', 'b', '--disk', 'c', '--cdrom', 'd', '--cdrom', 'e'], 'takes 4'],
    [['--nic', 'bridge:eth0'], '--nic bridge:eth0'],
    [['--nic', 'loopback,mac=53:54:00:00:00:01'], 'one adapter'],
    [['--share', '/srv'], 'tag=NAME'],
    [['--share', '/a,tag=x', '--share', '/b,tag=x'], 'another folder'],
    [['--vsock', '2'], 'from 3'],
  ])('refuse %j', (args, message) => {
    expect(() => parseRunOptions(args)).toThrow(message)
  })
})
