import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { VmmError } from '../../vmm'
import { parseCreate } from './create'

const parse = (...args: readonly string[]): ReturnType<typeof parseCreate> => parseCreate(args)

describe('options of vitrine create', () => {
  it('are those of run, with paths made absolute', () => {
    const { request } = parse('Debian', '--memory', '512', '--cdrom', 'a.iso', '--disk', 'b.img,ro', '--new-disk', '8G', '--new-disk', '1.5M,data.img', '--cpu', 'family=6,sse2=off', '--guest', 'linux:Debian 12', '--json')
    expect(request).toMatchObject({
      name: 'Debian',
      newDisks: [{ file: 'disk.img', bytes: 8 * 2 ** 30 }, { file: 'data.img', bytes: 1.5 * 2 ** 20 }],
      settings: {
        guest: { family: 'linux', system: 'Debian 12' },
        hardware: { memoryMiB: 512, demoDisk: false, disks: [{ file: resolve('b.img'), readOnly: true }], cdroms: [{ file: resolve('a.iso') }], processors: { model: { family: 6, disabled: ['sse2'] } } },
      },
    })
  })

  it('know kernels and serial ports', () => {
    const { request } = parse('K', '--kernel', 'k', '--append', '--- quiet', '--module', 'm a b', '--serial', 'terminal', '--serial', 'telnet:4001', '--serial', 'file:out.txt')
    expect(request.settings?.hardware).toMatchObject({
      boot: { kernel: { file: resolve('k'), commandLine: '--- quiet', entry: 'auto', modules: [{ file: resolve('m'), commandLine: 'a b' }] } },
      serialPorts: [{ kind: 'terminal' }, { kind: 'tcp', port: 4001, protocol: 'telnet' }, { kind: 'file', file: resolve('out.txt') }],
    })
  })

  it.each([
    [[], 'the name'], [['A', 'B'], 'B: not an option'], [['A', '--memory', '1'], '--memory 1'], [['A', '--debug-exit'], 'no such option'], [['A', '--new-disk', '0'], '--new-disk 0'],
    [['A', '--new-disk', '9T'], '--new-disk 9T'], [['A', '--new-disk', '1G,../x'], '--new-disk'], [['A', '--serial', 'pipe'], '--serial pipe'], [['A', '--serial', 'tcp:x'], '--serial tcp:x'], [['A', '--guest', 'amiga'], '--guest amiga'],
  ] as const)('refuse %j', (args, part) => {
    expect(() => parse(...args)).toThrow(VmmError)
    expect(() => parse(...args)).toThrow(part)
  })
})
