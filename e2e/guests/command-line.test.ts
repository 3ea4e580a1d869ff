/** The command line as a user meets it: bad input, exit statuses, and everything that can be shown with guests of a few instructions. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { linuxImage } from '../../src-main/vmm/firmware/direct-boot/images.fixture'
import { bootSector, multibootKernel, pvhKernel } from './images/tiny'

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..')
const program = join(root, 'out', 'cli', 'vitrine.mjs')
const PROMPT = '^vitrine> '
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

interface Run {
  readonly status: number | null
  readonly output: string
  readonly errors: string
}

interface RunOptions {
  readonly cwd?: string
  readonly input?: string
  /** Sent once the output matches. */
  readonly signal?: { readonly name: 'SIGINT' | 'SIGTERM'; readonly after: RegExp }
}

function vitrine(args: readonly string[], { cwd = root, input, signal }: RunOptions = {}): Promise<Run> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [program, ...args], { cwd, stdio: ['pipe', 'pipe', 'pipe'] })
    let output = ''
    let errors = ''
    let signalled = false
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (signal && !signalled && signal.after.test(output)) signalled = child.kill(signal.name)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    child.stdin.on('error', () => undefined) // it may end before it has read everything
    child.on('error', failed)
    child.on('close', (status) => done({ status, output, errors }))
    child.stdin.end(input ?? '')
  })
}

let folder = ''
const at = (name: string): string => join(folder, name)
function file(name: string, content: string | Uint8Array): string {
  writeFileSync(at(name), content)
  return at(name)
}

beforeAll(() => {
  if (!existsSync(program)) throw new Error('out/cli/vitrine.mjs is missing: run node tools/build-cli.mjs')
  folder = mkdtempSync(join(tmpdir(), 'vitrine-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('vitrine', () => {
  it('tells its options and its version', async () => {
    for (const args of [['--help'], ['help'], [], ['run', '--help']]) {
      const { status, output, errors } = await vitrine(args)
      expect([status, errors]).toEqual([0, ''])
      for (const option of ['--memory MIB', '--kernel PATH', '--script FILE', '--load-state PATH', 'exit status']) expect(output).toContain(option)
    }
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    expect(await vitrine(['--version'])).toEqual({ status: 0, output: `vitrine ${manifest.version}\n`, errors: '' })
  })

  it('knows no other commands', async () => {
    expect(await vitrine(['launch'])).toMatchObject({ status: 2, output: '', errors: 'vitrine: launch: no such command; see vitrine --help\n' })
  })
})

describe('bad input: one line that says what, where and what to do; exit 2; nothing left behind', () => {
  const kernel = (): string => file('kernel', linuxImage({ version: 0x20f, code: new Uint8Array(1 << 20), initBytes: 1 << 20 }))
  const iso = (): Uint8Array => {
    const bytes = Buffer.alloc(40 * 2048)
    bytes[16 * 2048] = 1
    bytes.write('CD001', 16 * 2048 + 1, 'latin1')
    bytes.writeUInt32LE(50_000, 16 * 2048 + 80)
    bytes.writeUInt16LE(2048, 16 * 2048 + 128)
    return bytes
  }
  const cases: readonly (readonly [name: string, args: () => readonly string[], ...parts: readonly string[]])[] = [
    ['a kernel that is not there', () => ['--kernel', at('none')], '--kernel', 'none: no such file'],
    ['a directory as kernel', () => ['--kernel', folder], '--kernel', 'is a directory'],
    ['a text file as kernel', () => ['--kernel', file('notes.txt', 'just some text\n'.repeat(100))], 'notes.txt: not a Linux bzImage, Multiboot or PVH image', '--disk'],
    ['an empty kernel', () => ['--kernel', file('empty', '')], 'empty: the file is empty'],
    ['a truncated kernel', () => (kernel(), truncateSync(at('kernel'), 2000), ['--kernel', at('kernel')]), 'kernel: truncated', 'fetch'],
    ['a kernel that does not fit', () => ['--kernel', file('big', linuxImage({ version: 0x20f, code: new Uint8Array(1 << 20), initBytes: 200 << 20 })), '--memory', '64'], 'big: needs 201 MiB', '64 MiB', '--memory'],
    ['an initrd that does not fit', () => ['--kernel', kernel(), '--initrd', file('initrd', new Uint8Array(31 << 20)), '--memory', '32'], 'initrd: its 31 MiB do not fit', '32 MiB', '--memory'],
    ['an initrd that is not there', () => ['--kernel', kernel(), '--initrd', at('none')], '--initrd', 'no such file'],
    ['a module that is not there', () => ['--kernel', multibootKernel(at('mb')), '--module', `${at('none')} x`], '--module', 'no such file'],
    ['a module for Linux', () => ['--kernel', kernel(), '--module', kernel()], '--module', '--initrd'],
    ['a command line that is too long', () => ['--kernel', kernel(), '--append', 'x'.repeat(3000)], '--append: 3000 characters', '2047'],
    ['too much memory', () => ['--memory', '100000'], '--memory 100000', '3840'],
    ['too little memory', () => ['--memory', '1'], '--memory 1', 'from 2'],
    ['memory that is no number', () => ['--memory', 'lots'], '--memory lots', 'whole number'],
    ['an option that nobody knows', () => ['--turbo'], '--turbo', '--help'],
    ['an option without its value', () => ['--kernel'], '--kernel', 'needs a value'],
    ['an argument that is no option', () => ['disk.img'], 'disk.img: not an option'],
    ['an initrd without kernel', () => ['--initrd', kernel()], '--initrd', 'add --kernel'],
    ['kernel and firmware', () => ['--kernel', kernel(), '--firmware', kernel()], '--kernel', '--firmware'],
    ['one option twice', () => ['--memory', '64', '--memory', '32'], '--memory: given twice'],
    ['a bad expression', () => ['--until', '('], '--until (', 'not a regular expression'],
    ['a script that is not there', () => ['--script', at('none')], '--script', 'no such file'],
    ['a mistake in a script', () => ['--script', file('script', 'wait 1\nexpct x\n')], 'script, line 2: expct: no such action'],
    ['a bad expression in a script', () => ['--script', file('script', 'expect [\n')], 'script, line 1:', 'not a regular expression'],
    ['a disk that is not there', () => ['--disk', at('none')], '--disk', 'no such file'],
    ['a directory as disk', () => ['--disk', `${folder},ro`], '--disk', 'is a directory'],
    ['half a disk', () => ['--disk', file('half', new Uint8Array(1000))], '--disk', '1000 bytes'],
    ['a CD that is not there', () => ['--cdrom', at('none')], '--cdrom', 'no such file'],
    ['a truncated CD', () => ['--cdrom', file('cut.iso', iso())], 'cut.iso: truncated', 'fetch'],
    ['too many drives', () => ['a', 'b', 'c', 'd', 'e'].flatMap((name) => ['--cdrom', at(name)]), '5 drives'],
    ['a text file as firmware', () => ['--firmware', file('notes.txt', 'text')], '--firmware', 'notes.txt'],
    ['an empty flash chip as firmware', () => ['--firmware', file('flash', new Uint8Array(0x20000).fill(0xff))], '--firmware', 'reset vector'],
    ['a text file as VGA BIOS', () => ['--firmware', file('flash', new Uint8Array(0x20000).fill(0x90)), '--vga-bios', file('notes.txt', 'text')], '--vga-bios', 'option ROM'],
    ['a state that is not there', () => ['--load-state', at('none')], 'none: no such file'],
    ['a text file as state', () => ['--load-state', file('notes.txt', 'text '.repeat(99))], 'notes.txt: not a saved machine'],
    ['a place for the state that is not there', () => ['--save-state', at('no/where')], '--save-state', 'folder does not exist'],
    ['a directory as screenshot', () => ['--screenshot', folder], '--screenshot', 'is a directory'],
    ['a place for statistics that is not there', () => ['--stats', at('no/where')], '--stats', 'folder does not exist'],
    ['a place for serial output that is not there', () => ['--serial', `file:${at('no/where')}`], '--serial', 'folder does not exist'],
    ['a region of the interpreter', () => ['--engine', 'interpreter', '--dump-region', '7c00'], '--dump-region 7c00', 'leave out --engine interpreter'],
    ['a region list of the interpreter', () => ['--engine', 'interpreter', '--regions', '5'], '--regions 5', 'leave out --engine interpreter'],
    ['a region at no address', () => ['--engine', 'translator', '--dump-region', 'main'], '--dump-region main', 'hexadecimal address'],
    ['a region beyond all addresses', () => ['--engine', 'translator', '--dump-region', '0x12345678123456789'], '--dump-region', 'hexadecimal address'],
    ['no hottest regions', () => ['--engine', 'translator', '--dump-region', 'hottest:0'], 'hottest 0', 'from 1'],
    ['regions without number', () => ['--engine', 'translator', '--regions', 'all'], '--regions all', 'whole number'],
    ['a dump without path', () => ['--engine', 'translator', '--dump-region', '7c00='], '--dump-region 7c00=', 'no path'],
    ['a place for a dump that is not there', () => ['--engine', 'translator', '--dump-region', `7c00=${at('no/where')}`], '--dump-region', 'folder does not exist'],
    ['a name with two lines', () => ['--kernel', at('two\nlines')], 'two lines: no such file'],
  ]
  it.each(cases.map(([name, args, ...parts]) => ({ name, args, parts })))('$name', async ({ args, parts }) => {
    const given = args()
    const work = at('work')
    rmSync(work, { recursive: true, force: true }) // a failed test's
    mkdirSync(work)
    const before = readdirSync(folder).sort()
    // These would be written by a run; a refused one must not touch them.
    const outputs = ['--serial', '--stats', '--screenshot', '--save-state', '--debug-console'].flatMap((option) =>
      given.includes(option) ? [] : [option, option === '--serial' || option === '--debug-console' ? `file:${option.slice(2)}` : option.slice(2)],
    )
    const { status, output, errors } = await vitrine(['run', '--timeout', '10', ...outputs, ...given], { cwd: work })
    expect(errors).toMatch(/^vitrine: [^\n]+\n$/)
    expect([status, output]).toEqual([2, ''])
    for (const part of parts) expect(errors).toContain(part)
    expect(readdirSync(work)).toEqual([])
    expect(readdirSync(folder).sort()).toEqual(before)
  })

  it('the state of another machine', async () => {
    const state = at('other-machine')
    expect((await vitrine(['run', '--memory', '4', '--stop-at', '1000', '--save-state', state])).status).toBe(0)
    for (const [args, part] of [
      [['--memory', '8'], 'memory has 4194304 bytes, this machine\'s has 8388608'],
      [['--memory', '4', '--debug-exit'], 'debug-exit'],
    ] as const) {
      const { status, errors } = await vitrine(['run', ...args, '--load-state', state, '--timeout', '5'])
      expect(errors).toMatch(/^vitrine: saved state[^\n]+\n$/)
      expect(errors).toContain(part)
      expect(status).toBe(2)
    }
    const bytes = readFileSync(state)
    writeFileSync(state, bytes.subarray(0, bytes.length - 1))
    expect(await vitrine(['run', '--memory', '4', '--load-state', state])).toMatchObject({ status: 2, errors: `vitrine: saved state ${state}: its checksum does not match; the file is truncated or damaged\n` })
  })
})

describe('the demo guest', () => {
  it('ends with 0 when --until matches; leaves statistics and a picture', async () => {
    const run = await vitrine(['run', '--until', PROMPT, '--stats', at('stats.json'), '--screenshot', at('screen.png'), '--timeout', '60'])
    expect(run).toMatchObject({ status: 0, errors: '' })
    expect(run.output).toMatch(/Vitrine[\s\S]*vitrine> /)
    expect(JSON.parse(readFileSync(at('stats.json'), 'utf8'))).toMatchObject({
      engine: 'translator', resets: 0, unclaimed: [], unknownOpcodes: {},
      instructions: expect.any(Number), mips: expect.any(Number), wallSeconds: expect.any(Number), virtualSeconds: expect.any(Number),
      exits: { pioReads: expect.any(Number), pioWrites: expect.any(Number), interrupts: expect.any(Number) }, interrupts: { '0x8': expect.any(Number) },
    })
    const picture = readFileSync(at('screen.png'))
    expect([...picture.subarray(0, 8)]).toEqual(SIGNATURE)
    const { width, height, data } = PNG.sync.read(picture)
    expect([width, height]).toEqual([720, 400])
    expect(new Set(Array.from({ length: width * height }, (_, i) => data.readUInt32BE(i * 4))).size).toBeGreaterThan(1)
  })

  it('answers a script, and ends with 0 when it switches off', async () => {
    const script = [
      '# a dialogue', `expect ${PROMPT}`, 'send help\\r', 'expect ^off +turns the power off', `expect ${PROMPT}`, 'send echo hello \\x77orld\\r', 'expect ^hello world',
      `expect ${PROMPT}`, 'send time\\r', 'expect ^ticks [0-9]+, clock 20[0-9]{2}-[0-9-]+ [0-9:]+', `expect ${PROMPT}`, 'send disk\\r', 'expect times 1', `expect ${PROMPT}`,
      'type echo typed\\n', 'expect ^typed', 'expect-screen ^typed', `screenshot ${at('typed.png')}`, 'send off\\r', 'expect Good night',
    ]
    const run = await vitrine(['run', '--script', file('script', script.join('\n')), '--timeout', '100'])
    expect(run).toMatchObject({ status: 0, errors: '' })
    expect([...readFileSync(at('typed.png')).subarray(0, 8)]).toEqual(SIGNATURE)
  })

  it('ends with 1 when it switches off in mid-script', async () => {
    const script = file('off', `expect ${PROMPT}\nsend off\\r\nwait 30\n`)
    const run = await vitrine(['run', '--script', script, '--timeout', '60'])
    expect(run.status).toBe(1)
    expect(run.errors).toMatch(/^vitrine: the guest switched off in line 3 of the script: wait 30\n$/)
  })

  it('ends with 124 at a timeout, and says what a script waited for', async () => {
    const run = await vitrine(['run', '--script', file('script', '\nexpect never to be seen\n'), '--timeout', '0.3'])
    expect(run).toMatchObject({ status: 124, errors: 'vitrine: timeout in line 2 of the script: expect never to be seen\n' })
    expect(await vitrine(['run', '--timeout', '0.3'])).toMatchObject({ status: 124, errors: '' })
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with 130 at %s, and still leaves what was asked for', async (name) => {
    const run = await vitrine(['run', '--screenshot', at('interrupted.png'), '--timeout', '60'], { signal: { name, after: /vitrine> / } })
    expect(run).toMatchObject({ status: 130, errors: '' })
    expect(existsSync(at('interrupted.png'))).toBe(true)
    rmSync(at('interrupted.png'))
  })

  it('goes on from a saved state in a new process', async () => {
    const state = at('state')
    expect(await vitrine(['run', '--memory', '4', '--until', PROMPT, '--save-state', state, '--timeout', '60'])).toMatchObject({ status: 0, errors: '' })
    const run = await vitrine(['run', '--memory', '4', '--load-state', state, '--script', file('script', 'send echo still here\\r\nexpect ^still here\nsend off\\r\nexpect Good night\n'), '--timeout', '60'])
    expect(run).toMatchObject({ status: 0, errors: '' })
    expect(run.output).not.toContain('This machine is running')
  })

  it('does the same twice with --clock instructions', async () => {
    const states = await Promise.all(['first', 'second'].map(async (name) => {
      expect((await vitrine(['run', '--memory', '4', '--clock', 'instructions', '--stop-at', '300000', '--save-state', at(name)])).status).toBe(0)
      return readFileSync(at(name))
    }))
    expect(states[0]?.equals(states[1] ?? Buffer.alloc(0))).toBe(true)
  })

  it('writes its serial output to a file, or nowhere', async () => {
    expect(await vitrine(['run', '--serial', `file:${at('serial')}`, '--until', PROMPT, '--timeout', '60'])).toEqual({ status: 0, output: '', errors: '' })
    expect(readFileSync(at('serial'), 'utf8')).toContain('vitrine> ')
    expect(await vitrine(['run', '--serial', 'none', '--until', PROMPT, '--timeout', '60'])).toEqual({ status: 0, output: '', errors: '' })
  })
})

describe('guests of a few instructions', () => {
  it.each([0, 1, 0x20, 0x7f])('end with (v << 1) | 1 by --debug-exit: %i', async (value) => {
    const disk = bootSector(at('exit.img'), `mov al, ${value}\nout 0xf4, al\nhlt`)
    expect(await vitrine(['run', '--memory', '4', '--disk', disk, '--debug-exit', '--timeout', '60'])).toMatchObject({ status: (value << 1) | 1, errors: '' })
  })

  it('go on without --debug-exit', async () => {
    const disk = bootSector(at('exit.img'), 'mov al, 1\nout 0xf4, al\nmov al, 0x41\nmov dx, 0x3f8\nout dx, al\nstop: hlt\njmp stop')
    expect(await vitrine(['run', '--memory', '4', '--disk', `${disk},ro`, '--until', 'A', '--timeout', '60'])).toMatchObject({ status: 0 })
  })

  it('end with 3 and their registers by a triple fault', async () => {
    const disk = bootSector(at('fault.img'), 'mov eax, 0x12345678\nlidt [zero]\nint3\nzero: dw 0, 0, 0')
    const run = await vitrine(['run', '--memory', '4', '--disk', disk, '--timeout', '60'])
    expect(run.status).toBe(3)
    expect(run.errors).toMatch(/^vitrine: the guest's processor shut down \(triple fault\)\n/)
    expect(run.errors).toMatch(/12345678/)
    expect(run.errors).toMatch(/idtr?/i)
  })

  it('show their translated code', async () => {
    const disk = bootSector(at('loop.img'), 'mov ecx, 60000000\nagain: add eax, ecx\ndec ecx\njnz again\nmov al, 1\nout 0xf4, al')
    const dumps = ['--regions', '3', '--dump-region', `7c09=${at('regions')}`, '--dump-region', `hottest:2=${at('regions')}`, '--dump-region', '0xffff']
    const run = await vitrine(['run', '--engine', 'translator', '--memory', '4', '--disk', disk, '--debug-exit', '--serial', 'none', '--timeout', '60', ...dumps])
    expect(run).toMatchObject({ status: 3, errors: '' })
    expect(run.output).toMatch(/^\n *address +mode +made +instructions .*\n/)
    expect(run.output).toMatch(/^ *0x7c06 +16-bit .* [1-9]\d*$/m)
    expect(run.output).toMatch(/^--dump-region 0xffff: no translated code has this address; see --regions$/m)
    const text = readFileSync(at('regions'), 'utf8')
    const [, first] = text.split(/^====/m)
    expect(first).toMatch(/^ region 0x7c06 \(16-bit\) ====\ninstructions +3 in 1 basic blocks/)
    expect(first).toMatch(/^ {2}7c06 {2}add eax,ecx\n {2}7c09 {2}dec ecx\n {2}7c0b {2}jne 0x7c06$/m)
    expect(first).toMatch(/^---- IR after fold: [^]*^func region0 [^]*^---- WebAssembly ----\n\(module\n[^]*func \$region0[^]*i32\.add/m)
    expect(first).toMatch(/^times .*emit and fold \d+\.\d+ ms; .*WebAssembly\.Module \d+\.\d+ ms/m)
    expect(text.match(/^==== region /gm)!.length).toBeGreaterThan(1)
  })

  it('write to the debug console', async () => {
    const disk = bootSector(at('console.img'), "mov al, 'V'\nout 0xe9, al\nmov dx, 0x402\nmov al, 'm'\nout dx, al\nmov al, 3\nout 0xf4, al")
    const run = await vitrine(['run', '--memory', '4', '--disk', disk, '--debug-exit', '--debug-console', `file:${at('console')}`, '--timeout', '60'])
    expect([run.status, run.errors]).toEqual([7, ''])
    expect(readFileSync(at('console'), 'utf8')).toMatch(/Vm$/)
  })

  it('take what comes on standard input', async () => {
    const disk = bootSector(at('echo.img'), `
      mov dx, 0x3fd
wait:
      in al, dx
      test al, 1
      jz wait
      mov dx, 0x3f8
      in al, dx
      shr al, 1
      out 0xf4, al`)
    expect(await vitrine(['run', '--memory', '4', '--disk', disk, '--debug-exit', '--timeout', '60'], { input: 'K' })).toMatchObject({ status: 'K'.charCodeAt(0), errors: '' })
  })

  it('start from a Multiboot ELF with modules', async () => {
    const modules = [`${file('one.mod', 'first text')} a b`, `${file('two.mod', 'second')}`]
    const run = await vitrine(['run', '--memory', '8', '--kernel', multibootKernel(at('mb')), '--append', 'x=1 y', ...modules.flatMap((module) => ['--module', module]), '--timeout', '60'])
    expect(run).toEqual({ status: 0, errors: '', output: `multiboot: ${at('mb')} x=1 y\n${modules[0]} = first text\n${modules[1]} = second` })
  })

  it('start from a PVH ELF', async () => {
    const run = await vitrine(['run', '--memory', '8', '--kernel', pvhKernel(at('pvh')), '--append', 'console=none', '--module', `${file('m', 'x')} arg`, '--debug-exit', '--timeout', '60'])
    expect(run).toEqual({ status: 0x43, errors: '', output: `pvh: console=none\n${at('m')} arg` })
  })

  it('start from a Linux image by each entry', async () => {
    // At the entry of either mode: out F4h. The 64-bit entry is 200h further on.
    const code = new Uint8Array(0x1000).fill(0x90)
    code.set([0xb0, 0x11, 0xe6, 0xf4, 0xf4], 0)
    code.set([0xb0, 0x12, 0xe6, 0xf4, 0xf4], 0x200)
    const image = linuxImage({ version: 0x20f, xloadFlags: 1, code })
    image.set([0xb0, 0x10, 0xe6, 0xf4, 0xf4], 0x268) // real mode: where the setup's first jump goes
    const kernel = file('entries', image)
    for (const [entry, status] of [['16', 0x21], ['32', 0x23], ['64', 0x25]] as const) {
      expect(await vitrine(['run', '--memory', '8', '--kernel', kernel, '--linux-entry', entry, '--debug-exit', '--timeout', '60'])).toMatchObject({ status, errors: '' })
    }
  })
})
