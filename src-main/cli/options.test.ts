import { describe, expect, it } from 'vitest'
import { VmmError } from '../vmm'
import { parseRunOptions, type RunOptions } from './options'

function failure(...args: readonly string[]): VmmError {
  try {
    parseRunOptions(args)
  } catch (error) {
    if (error instanceof VmmError) return error
    throw error
  }
  throw new Error(`accepted: ${args.join(' ')}`)
}

const machine = (...args: readonly string[]): RunOptions['machine'] => parseRunOptions(args).machine

describe('options of vitrine run', () => {
  it('run the demo guest when there are none', () => {
    const options = parseRunOptions([])
    expect(options.machine).toEqual({
      engine: 'translator', memoryMiB: 256, videoMemoryMiB: 16, cpus: 1, cpu: {}, clock: 'host', firmware: 'builtin', boot: ['disk', 'cdrom'], bootMenu: false,
      append: '', modules: [], disks: [], cdroms: [], board: 'pc', paravirt: 'minimal', demo: true, debugExit: false,
    })
    expect(options).toMatchObject({ serial: { kind: 'stdio' }, debugConsole: { kind: 'none' } })
    for (const name of ['timeoutSeconds', 'until', 'script', 'screenshot', 'stopAt', 'saveState', 'loadState', 'stats'] as const) expect(options[name]).toBeUndefined()
  })

  it('reach the machine', () => {
    expect(machine('--engine', 'interpreter', '--memory', '2', '--cpus', '1', '--clock', 'instructions')).toMatchObject({ engine: 'interpreter', memoryMiB: 2, cpus: 1, clock: 'instructions', demo: true })
    expect(machine('--video-memory', '64')).toMatchObject({ videoMemoryMiB: 64 })
    expect(machine('--memory=3840')).toMatchObject({ memoryMiB: 3840 })
    expect(machine('--firmware', 'bios.bin', '--vga-bios', 'vga.bin')).toMatchObject({ firmware: 'bios.bin', vgaBios: 'vga.bin', demo: false })
    expect(machine('--boot', 'cdrom')).toMatchObject({ boot: ['cdrom'] })
    expect(machine('--boot', 'cdrom, disk', '--boot-menu')).toMatchObject({ boot: ['cdrom', 'disk'], bootMenu: true })
    expect(machine('--kernel', 'k', '--initrd', 'i', '--append', 'a b', '--linux-entry', '32')).toMatchObject({ kernel: 'k', initrd: 'i', append: 'a b', linuxEntry: 32, demo: false })
    expect(machine('--kernel', 'k', '--module', 'm1 x y', '--module', ' m2 ')).toMatchObject({ modules: [{ path: 'm1', commandLine: 'm1 x y' }, { path: 'm2', commandLine: 'm2' }] })
    expect(machine('--disk', 'a,writethrough', '--disk', 'b,writethrough,ro').disks).toEqual([{ path: 'a', readOnly: false, cache: 'writethrough' }, { path: 'b', readOnly: true, cache: 'writethrough' }])
    expect(machine('--disk', 'a', '--disk', 'b,ro', '--cdrom', 'c', '--cdrom', 'd,ro')).toMatchObject({
      disks: [{ path: 'a', readOnly: false }, { path: 'b', readOnly: true }], cdroms: [{ path: 'c' }, { path: 'd,ro' }], demo: false,
    })
    expect(machine('--debug-exit').debugExit).toBe(true)
    expect(machine('--cpu', 'vendor=AuthenticAMD,brand=A CPU,family=6,model=15,stepping=11,sse4.2=off,lm=off').cpu).toEqual({
      vendor: 'AuthenticAMD', brand: 'A CPU', family: 6, model: 15, stepping: 11, disabled: ['sse4.2', 'lm'],
    })
  })

  it('reach the run', () => {
    expect(parseRunOptions(['--serial', 'none', '--debug-console', 'stdio'])).toMatchObject({ serial: { kind: 'none' }, debugConsole: { kind: 'stdio' } })
    expect(parseRunOptions(['--serial', 'file:a:b', '--debug-console', 'file:c'])).toMatchObject({ serial: { kind: 'file', path: 'a:b' }, debugConsole: { kind: 'file', path: 'c' } })
    expect(parseRunOptions(['--timeout', '0.5', '--stop-at', '0', '--screenshot', 'p', '--save-state', 's', '--load-state', 'l', '--stats', 't'])).toMatchObject({
      timeoutSeconds: 0.5, stopAt: 0, screenshot: 'p', saveState: 's', loadState: 'l', stats: 't',
    })
    expect(parseRunOptions(['--script', 'x']).script).toBe('x')
    expect(parseRunOptions(['--until', '^login:']).until?.test('one\nlogin:')).toBe(true)
  })

  it('take values that start with dashes, as Debian\'s kernel lines do', () => {
    expect(machine('--kernel', 'k', '--append', '--- quiet').append).toBe('--- quiet')
    expect(machine('--kernel', 'k', '--append', '-x').append).toBe('-x')
    expect(machine('--kernel', 'k', '--append=--memory').append).toBe('--memory')
  })

  const bad: readonly (readonly [args: readonly string[], ...parts: readonly string[]])[] = [
    [['--bogus'], '--bogus', 'no such option', '--help'],
    [['--bogus=1'], '--bogus', 'no such option'],
    [['-m', '64'], '-m', 'no such option'],
    [['--toString'], '--toString', 'no such option'],
    [['--no-debug-exit'], '--no-debug-exit', 'no such option'],
    [['disk.img'], 'disk.img', 'not an option', '--help'],
    [['--', 'x'], '--', 'not an option'],
    [['--memory'], '--memory', 'needs a value'],
    [['--memory', '--debug-exit'], '--memory', 'missing before --debug-exit'],
    [['--append', '--kernel=k'], '--append', 'missing before --kernel=k'],
    [['--debug-exit=yes'], '--debug-exit=yes', 'takes no value'],
    [['--engine', 'kvm'], '--engine kvm', 'choose interpreter or translator or lockstep'],
    ...['1', '3841', '-1', '2.5', 'x', '', ' ', 'NaN', 'Infinity', '64M', '99999999999999999999'].map((value) => [['--memory', value], `--memory ${value}`, 'whole number from 2 to 3840'] as const),
    ...['0', '2', '12', '128', '16.0', 'x', ''].map((value) => [['--video-memory', value], `--video-memory ${value}`, '4, 8, 16, 32, 64'] as const),
    [['--cpus', '2'], '--cpus 2', '1 for now'],
    [['--cpus', '0'], '--cpus 0'],
    [['--clock', 'guest'], '--clock guest', 'host or instructions'],
    [['--boot', 'floppy'], '--boot floppy', 'disk or cdrom'],
    [['--boot', ''], '--boot'],
    [['--boot', 'disk,disk'], '--boot disk,disk', 'twice'],
    [['--kernel', 'k', '--linux-entry', '8'], '--linux-entry 8', '16, 32 or 64'],
    [['--kernel', 'k', '--module', ' '], '--module', 'no path'],
    [['--disk', ''], '--disk', 'no path'],
    [['--disk', ',ro'], '--disk ,ro', 'no path'],
    [['--serial', 'tty'], '--serial tty', 'stdio, file:PATH or none'],
    [['--serial', 'file:'], '--serial file:', 'stdio, file:PATH or none'],
    [['--debug-console', 'on'], '--debug-console on', 'stdio, file:PATH or none'],
    ...['0', '-1', 'soon', '', 'Infinity'].map((value) => [['--timeout', value], `--timeout ${value}`, 'seconds above 0'] as const),
    [['--until', '['], '--until [', 'not a regular expression'],
    ...['-1', '1.5', 'x', '9007199254740993'].map((value) => [['--stop-at', value], `--stop-at ${value}`, 'whole number'] as const),
    [['--cpu', 'vendor=short'], '--cpu vendor=short', '12 characters'],
    [['--cpu', 'brand='], '--cpu brand=', '1 to 47'],
    [['--cpu', `brand=${'x'.repeat(48)}`], '--cpu brand=', '1 to 47'],
    [['--cpu', 'family=256'], '--cpu family 256', 'from 0 to 255'],
    [['--cpu', 'model=x'], '--cpu model x', 'whole number'],
    [['--cpu', 'stepping=16'], '--cpu stepping 16', 'from 0 to 15'],
    [['--cpu', 'sse2=on'], '--cpu sse2=on', 'not known'],
    [['--cpu', 'sse2'], '--cpu sse2', 'not known'],
    [['--cpu', 'avx=off'], '--cpu avx=off', 'not known', 'SSE2'],
  ]
  it.each(bad.map(([args, ...parts]) => ({ line: args.join(' '), args, parts })))('refuse: $line', ({ args, parts }) => {
    const error = failure(...args)
    expect(error.code).toBe('config/bad-option')
    expect(error.message).not.toContain('\n')
    for (const part of parts) expect(error.message).toContain(part)
  })

  it('say which translated code is shown', () => {
    const dumps = (...args: readonly string[]): RunOptions['regionDumps'] => parseRunOptions(['--engine', 'translator', ...args]).regionDumps
    expect(dumps()).toEqual([])
    expect(dumps('--dump-region', '0xFFFFffff81000000', '--dump-region', '7c00=a=b', '--dump-region', 'hottest', '--dump-region', 'hottest:7=x', '--regions', '20=r').map(({ what, path }) => [what, path])).toEqual([
      [{ kind: 'list', count: 20 }, 'r'],
      [{ kind: 'at', address: 0xffffffff81000000n }, undefined],
      [{ kind: 'at', address: 0x7c00n }, 'a=b'],
      [{ kind: 'hottest', count: 1 }, undefined],
      [{ kind: 'hottest', count: 7 }, 'x'],
    ])
    for (const value of ['', '0x', 'x', '7c00h', 'hottest:', 'hottest:0', 'hottest:1e9', 'hottest:2=', '7c00=', '-1']) expect(() => dumps(`--dump-region=${value}`), value).toThrow(VmmError)
  })

  const contradictions: readonly (readonly [args: readonly string[], ...parts: readonly string[]])[] = [
    [['--initrd', 'i'], '--initrd', '--kernel'],
    [['--append', 'x'], '--append', '--kernel'],
    [['--linux-entry', '16'], '--linux-entry', '--kernel'],
    [['--module', 'm'], '--module', '--kernel'],
    [['--kernel', 'k', '--firmware', 'f'], '--kernel', '--firmware'],
    [['--vga-bios', 'v'], '--vga-bios', '--firmware'],
    [['--boot-menu', '--firmware', 'f'], '--boot-menu', '--firmware'],
    [['--boot-menu', '--kernel', 'k'], '--boot-menu', '--kernel'],
    [['--until', 'x', '--script', 's'], '--until', '--script'],
    [['--disk', 'a', '--disk', 'b', '--disk', 'c', '--disk', 'd', '--cdrom', 'e'], '--disk, --cdrom', '5 drives', '4'],
    [['--disk', 'a', '--disk', './a'], '--disk ./a', 'twice'],
    [['--disk', 'a,ro', '--disk', 'a'], '--disk a', 'twice'],
    [['--memory', '64', '--memory', '128'], '--memory', 'twice', '64', '128'],
    [['--kernel', 'a', '--kernel=b'], '--kernel', 'twice'],
    [['--engine', 'interpreter', '--dump-region', '7c00'], '--dump-region 7c00', '--engine interpreter'],
    [['--regions', '1', '--regions', '2'], '--regions', 'twice'],
    [['--debug-exit', '--debug-exit'], '--debug-exit', 'twice'],
  ]
  it.each(contradictions.map(([args, ...parts]) => ({ line: args.join(' '), args, parts })))('contradict each other: $line', ({ args, parts }) => {
    const error = failure(...args)
    expect(error.code).toBe('config/contradiction')
    expect(error.message).not.toContain('\n')
    for (const part of parts) expect(error.message).toContain(part)
  })

  it('may name one read-only disk twice', () => {
    expect(machine('--disk', 'a,ro', '--disk', 'a,ro').disks).toHaveLength(2)
  })
})
