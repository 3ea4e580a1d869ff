import { describe, expect, it } from 'vitest'
import { mergePatch, parseDocument, type JsonObject } from '../json-document'
import { machineConfig, hardwareProblems, namedFiles } from './machine-config'
import { migrate } from './migrate'
import { readVmJson, type VmDocument } from './read'
import { isElementKey } from './schema'

const ID = '0f8fad5b-d9cb-469f-a165-70867728950e'
const MINIMAL = { version: 1, id: ID, name: 'Debian' }
const bytes = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const problem = (value: unknown): { code: string; message: string; key?: string; values: Readonly<Record<string, unknown>> } => {
  const result = readVmJson(bytes(value), 'vm.json')
  if (result.ok) throw new Error(`accepted: ${JSON.stringify(value)}`)
  expect(result.problem.message).not.toContain('\n')
  return result.problem
}
const read = (value: unknown): VmDocument => {
  const result = readVmJson(bytes(value), 'vm.json')
  if (!result.ok) throw new Error(result.problem.message)
  return result.value
}
const GIB = 2 ** 30

describe('vm.json', () => {
  it('may be short: everything but version, id and name has a default', () => {
    const { config } = read(MINIMAL)
    expect(config.hardware).toEqual({
      memoryMiB: 256, processors: { count: 1, model: { disabled: [] } }, engine: 'translator', clock: 'host', firmware: { kind: 'builtin' },
      boot: { order: ['disk', 'cdrom'], menu: false }, display: { videoMemoryMiB: 16 }, demoDisk: false, disks: [], cdroms: [], serialPorts: [{ kind: 'terminal' }],
    })
    expect(config.options).toEqual({ power: { powerOff: 'hard', reset: 'hard' }, onClose: 'ask', guestCrash: 'stop', logLevel: 'info', isolation: { paste: true } })
  })

  it('may have a byte order mark, as editors write it', () => {
    expect(read(`\ufeff${JSON.stringify(MINIMAL)}`).config.name).toBe('Debian')
  })

  it.each<[value: unknown, key: string, message: string]>([
    [{ ...MINIMAL, hardware: { memoryMiB: 1 } }, 'hardware.memoryMiB', 'hardware.memoryMiB is 1; expected a whole number from 2 to 3840'],
    [{ ...MINIMAL, hardware: { memoryMiB: '256' } }, 'hardware.memoryMiB', 'is "256"; expected a whole number'],
    [{ ...MINIMAL, hardware: { disks: [{ file: 'a' }, { file: 5 }] } }, 'hardware.disks[1].file', 'is 5; expected a path'],
    [{ ...MINIMAL, hardware: { disks: [{ file: 'a\0b' }] } }, 'hardware.disks[0].file', 'expected a path'],
    [{ ...MINIMAL, hardware: { disks: {} } }, 'hardware.disks', 'is {}; expected a list [ ... ]'],
    [{ ...MINIMAL, hardware: { engine: 'kvm' } }, 'hardware.engine', 'one of "interpreter", "translator", "lockstep"'],
    [{ ...MINIMAL, hardware: { serialPorts: [{ kind: 'pipe' }] } }, 'hardware.serialPorts[0].kind', 'is "pipe"; expected one of "terminal", "file", "tcp", "none"'],
    [{ ...MINIMAL, hardware: { serialPorts: [{ kind: 'tcp', port: 0 }] } }, 'hardware.serialPorts[0].port', '1 to 65535'],
    [{ ...MINIMAL, hardware: { processors: { model: { disabled: ['AVX'] } } } }, 'hardware.processors.model.disabled[0]', 'is "AVX"; expected the name of a feature: FPU'],
    [{ ...MINIMAL, hardware: null }, 'hardware', 'is null; expected an object { ... }'],
    [{ ...MINIMAL, options: { onClose: 'explode' } }, 'options.onClose', '"suspend"'],
    [{ ...MINIMAL, name: ' x' }, 'name', 'without spaces at the ends'],
    [{ ...MINIMAL, name: 'a\nb' }, 'name', 'on one line'],
    [{ ...MINIMAL, id: 'x' }, 'id', 'a UUID'],
    [{ version: 1, id: ID }, 'name', 'name is missing'],
    [{ id: ID, name: 'x' }, 'version', 'version is missing; expected 1'],
    [{ ...MINIMAL, version: '1' }, 'version', 'version is "1"; expected 1'],
    [{ ...MINIMAL, version: 0 }, 'version', 'version is 0; expected 1'],
  ])('%j: names the key and what is expected', (value, key, message) => {
    // Windows say it in their language.
    expect(problem(value).values['expectedId']).not.toBe('other')
    expect(problem(value)).toMatchObject({ code: 'vm-json/broken', key, message: expect.stringContaining(message) as string })
  })

  it.each<[what: string, value: string | Uint8Array, message: string]>([
    ['nothing', '', 'is empty'],
    ['a slip of the pen', '{\n  "version": 1,\n  "name": x\n}', 'line 3, column 11'],
    ['the half of it', '{ "version": 1, "na', 'is not JSON'],
    ['a list', '[]', 'holds a list'],
    ['bytes', Uint8Array.of(0xff, 0xfe, 0), 'is not UTF-8'],
    ['a bomb', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`, 'nested'],
    ['a long list', `[${'0,'.repeat(600000)}0]`, 'more than the'],
  ])('refuses %s', (_what, value, message) => {
    const result = readVmJson(typeof value === 'string' ? Buffer.from(value) : value, 'vm.json')
    expect(result).toMatchObject({ ok: false, problem: { code: 'vm-json/broken', message: expect.stringContaining(message) as string } })
  })

  it('of a newer Vitrine is left alone', () => {
    expect(problem({ ...MINIMAL, version: 2, name: 7 })).toMatchObject({ code: 'vm-json/newer' })
  })

  it('is migrated step by step, and keeps what it does not know', () => {
    const steps = [
      (document: JsonObject): JsonObject => ({ ...document, memory: Number(document['ram']) * 2 }),
      (document: JsonObject): JsonObject => ({ ...document, hardware: { memoryMiB: document['memory'] ?? 0 } }),
    ]
    expect(migrate({ version: 1, ram: 64, other: true }, steps)).toEqual({ kind: 'current', from: 1, document: { version: 3, ram: 64, other: true, memory: 128, hardware: { memoryMiB: 128 } } })
    expect(migrate({ version: 2, memory: 5 }, steps)).toMatchObject({ from: 2, document: { version: 3, hardware: { memoryMiB: 5 } } })
    expect(migrate({ version: 3 }, steps)).toMatchObject({ from: 3, document: { version: 3 } })
    expect(migrate({ version: 4 }, steps)).toEqual({ kind: 'newer', version: 4 })
  })

  it('survives whatever is done to it: an answer, never an exception, and no prototype is touched', () => {
    let seed = 7
    const random = (below: number): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % below
    const text = JSON.stringify({ ...MINIMAL, hardware: { disks: [{ file: 'disk.img' }], firmware: { kind: 'file', file: 'x' }, boot: { kernel: { file: 'k' } } } })
    const hostile = ['null', '-1', '1e999', '""', '[]', '{}', '"\\u0000"', '"\\ud800"', '{"__proto__":{"polluted":1}}', '9007199254740993', 'true']
    for (let i = 0; i < 3000; i++) {
      const mutated = text.replace(/("[^"]*"|\d+)(?=[,}\]])/g, (value) => (random(6) === 0 ? (hostile[random(hostile.length)] ?? value) : value))
      const cut = random(10) === 0 ? mutated.slice(0, random(mutated.length)) : mutated
      const result = readVmJson(Buffer.from(cut), 'vm.json')
      if (result.ok) {
        machineConfig(result.value.config, '/vm')
        hardwareProblems(result.value.config, '/vm', GIB)
      } else expect(result.problem.message).toContain('vm.json')
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('a change of vm.json', () => {
  const merge = (document: JsonObject, patch: Parameters<typeof mergePatch>[1]): JsonObject => mergePatch(document, patch, isElementKey)

  it('keeps unknown keys on every level and the order of keys', () => {
    const document = { zebra: 1, version: 1, hardware: { x: [1], memoryMiB: 8, boot: { y: {}, menu: false } }, name: 'a' }
    const changed = merge(document, { name: 'b', hardware: { memoryMiB: 16, boot: { menu: true } } })
    expect(JSON.stringify(changed)).toBe('{"zebra":1,"version":1,"hardware":{"x":[1],"memoryMiB":16,"boot":{"y":{},"menu":true}},"name":"b"}')
  })

  it('keeps unknown keys of list elements, wherever they move, and of those alone', () => {
    const document = { hardware: { disks: [{ file: 'a', readOnly: true, mine: 1 }, { file: 'b', mine: 2 }] } }
    expect(merge(document, { hardware: { disks: [{ file: 'b' }, { file: 'c' }, { file: 'a' }] } })).toEqual({ hardware: { disks: [{ file: 'b', mine: 2 }, { file: 'c' }, { file: 'a', mine: 1 }] } })
    expect(merge({ hardware: { serialPorts: [{ kind: 'tcp', port: 1, mine: 1 }] } }, { hardware: { serialPorts: [{ kind: 'none' }] } })).toEqual({ hardware: { serialPorts: [{ kind: 'none' }] } })
  })

  it('takes away with null, leaves with undefined, and replaces what is of another kind', () => {
    const document = { hardware: { boot: { kernel: { file: 'k' } }, firmware: { kind: 'file', file: 'f', mine: 1 } } }
    expect(merge(document, { hardware: { boot: { kernel: null }, firmware: { kind: 'builtin' }, disks: undefined } })).toEqual({ hardware: { boot: {}, firmware: { kind: 'builtin' } } })
    expect(merge(document, { hardware: { firmware: { kind: 'file', file: 'g' } } })).toMatchObject({ hardware: { firmware: { kind: 'file', file: 'g', mine: 1 } } })
  })

  it('makes nothing of __proto__', () => {
    const parsed = parseDocument(bytes('{"__proto__":{"a":1},"constructor":2}'))
    const merged = merge(parsed.ok ? parsed.document : {}, { b: 1 })
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"a":1},"constructor":2,"b":1}')
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype)
  })
})

describe('hardware', () => {
  const config = (hardware: object) => read({ ...MINIMAL, hardware }).config

  it('becomes the machine\'s configuration, with paths from the folder', () => {
    const full = config({
      memoryMiB: 64, display: { videoMemoryMiB: 4 }, processors: { model: { vendor: 'AuthenticAMD', family: 6, disabled: ['sse4.2'] } }, engine: 'interpreter', clock: 'instructions',
      boot: { order: ['cdrom'], kernel: { file: 'k', initrd: '/i', commandLine: 'quiet', entry: 32, modules: [{ file: 'm', commandLine: 'x' }] } },
      disks: [{ file: 'disk.img' }, { file: '/other/disk.img', readOnly: true, cache: 'writethrough' }], cdroms: [{ file: 'a.iso' }, {}, { file: 'b.iso', connected: false }],
    })
    expect(machineConfig(full, '/vm')).toEqual({
      engine: 'interpreter', memoryMiB: 64, videoMemoryMiB: 4, cpus: 1, cpu: { vendor: 'AuthenticAMD', family: 6, disabled: ['sse4.2'] }, clock: 'instructions', firmware: 'builtin', boot: ['cdrom'], bootMenu: false,
      kernel: '/vm/k', initrd: '/i', append: 'quiet', linuxEntry: 32, modules: [{ path: '/vm/m', commandLine: 'm x' }],
      disks: [{ path: '/vm/disk.img', readOnly: false, cache: 'writeback' }, { path: '/other/disk.img', readOnly: true, cache: 'writethrough' }], cdroms: [{ path: '/vm/a.iso' }, {}, {}], demo: false, debugExit: false,
    })
    expect(machineConfig(config({ firmware: { kind: 'file', file: 'bios', vgaBios: 'vga' } }), '/vm')).toMatchObject({ firmware: '/vm/bios', vgaBios: '/vm/vga' })
    expect(namedFiles(full, '/vm').map(({ key, path, writable }) => [key, path, writable])).toEqual([
      ['hardware.disks[0].file', '/vm/disk.img', true], ['hardware.disks[1].file', '/other/disk.img', false], ['hardware.cdroms[0].file', '/vm/a.iso', false],
      ['hardware.boot.kernel.file', '/vm/k', false], ['hardware.boot.kernel.initrd', '/i', false], ['hardware.boot.kernel.modules[0].file', '/vm/m', false],
    ])
  })

  it.each<[hardware: object, key: string, message: string]>([
    [{ memoryMiB: 2048 }, 'hardware.memoryMiB', '2048 MiB is more than the 1024 MiB'],
    [{ processors: { count: 2 } }, 'hardware.processors.count', '2 processors'],
    [{ disks: [1, 2, 3].map((i) => ({ file: `d${i}` })), cdroms: [{}, {}] }, 'hardware.disks', '5 disks and CD drives'],
    [{ boot: { order: ['disk', 'disk'] } }, 'hardware.boot.order', 'twice'],
    [{ boot: { kernel: { file: 'k' } }, firmware: { kind: 'file', file: 'f' } }, 'hardware.boot.kernel', 'firmware'],
    [{ disks: [{ file: 'a' }, { file: '/vm/a' }] }, 'hardware.disks[1].file', 'twice'],
    [{ disks: [{ file: 'a', readOnly: true }, { file: 'a', readOnly: true }, { file: 'a' }] }, 'hardware.disks[2].file', 'twice'],
    [{ serialPorts: [{ kind: 'tcp', port: 5 }, { kind: 'tcp', port: 5 }] }, 'hardware.serialPorts[1].port', 'TCP port 5'],
  ])('that is impossible is said in a sentence: %j', (hardware, key, message) => {
    expect(hardwareProblems(config(hardware), '/vm', GIB)).toEqual([expect.objectContaining({ code: 'hardware/impossible', key, message: expect.stringContaining(message) as string })])
  })

  it('may use a disk twice when nobody writes to it', () => {
    expect(hardwareProblems(config({ disks: [{ file: 'a', readOnly: true }, { file: './a', readOnly: true }] }), '/vm', GIB)).toEqual([])
  })
})
