/** The guest's program, compiled from resources/bench-guest into the cache outside the checkout. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached, sourceOf, tool } from '../../../e2e/guests/images/cache'
import type { Architecture } from '../../../e2e/guests/images/files'
import { initramfs } from './initramfs'

const sources = join(import.meta.dirname, '..', '..', '..', 'resources', 'bench-guest')
const HEADERS = ['guest.h', 'float-kernels.h']

/** The compiler shall neither call a library that is not there nor turn our loops into others. */
const COMMON = [
  '-O2', '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-ffreestanding', '-nostdlib', '-fno-pic', '-fno-stack-protector', '-fno-asynchronous-unwind-tables',
  '-fcf-protection=none', '-fno-tree-loop-distribute-patterns', '-fno-math-errno', '-ffp-contract=off', '-fno-strict-aliasing',
]
const TARGET: Readonly<Record<Architecture, readonly string[]>> = { amd64: ['-m64', '-march=x86-64'], i386: ['-m32', '-march=i686'] }
/** What a program for amd64 may take for granted, one for i386 is compiled for where it asks for it. */
const SSE2: Readonly<Record<Architecture, readonly string[]>> = { amd64: [], i386: ['-msse2', '-mfpmath=sse'] }

type Flavour = 'plain' | 'scalar-sse' | 'vectors' | 'x87'

const FILES: Readonly<Record<string, Flavour>> = {
  'main.c': 'plain', 'runtime.c': 'plain', 'integer.c': 'plain', 'pointer.c': 'plain', 'sse.c': 'scalar-sse', 'packed.c': 'vectors', 'x87.c': 'x87',
  'system.c': 'plain', 'memory.c': 'vectors', 'digest.c': 'plain', 'gzip.c': 'plain',
}

function flags(flavour: Flavour, architecture: Architecture): readonly string[] {
  switch (flavour) {
    case 'plain':
      return []
    case 'scalar-sse':
      return [...SSE2[architecture], '-fno-tree-vectorize']
    case 'vectors':
      return SSE2[architecture]
    case 'x87':
      return ['-mfpmath=387', '-fno-tree-vectorize']
  }
}

export interface GuestProgram {
  readonly architecture: Architecture
  /** The static program; runs on the host as well. */
  readonly program: string
  /** An initramfs with the program as /init. */
  readonly initrd: string
}

/** Throws with what is missing when there is no compiler for this architecture. */
export function buildGuestProgram(architecture: Architecture): GuestProgram {
  const version = spawnSync('gcc', ['--version'], { encoding: 'utf8' })
  if (version.status !== 0) throw new Error('gcc is missing: the bench compiles its guest (Debian: apt-get install gcc)')
  const texts = [...Object.keys(FILES), ...HEADERS].map((name) => readFileSync(join(sources, name), 'utf8'))
  const recipe = [...texts, version.stdout, sourceOf(import.meta.url)]
  const program = cached(`bench-${architecture}.elf`, recipe, (scratch, target) => {
    const objects = Object.entries(FILES).map(([name, flavour]) => {
      const object = join(scratch, `${name}.o`)
      tool('gcc', [...COMMON, ...TARGET[architecture], ...flags(flavour, architecture), '-c', join(sources, name), '-o', object])
      return object
    })
    tool('gcc', [...TARGET[architecture], '-static', '-nostdlib', '-no-pie', '-Wl,--build-id=none', ...objects, '-o', target])
  })
  const initrd = cached(`bench-${architecture}.cpio`, [...recipe, sourceOf(new URL('initramfs.ts', import.meta.url).href)], (_scratch, target) => {
    writeFileSync(target, initramfs(readFileSync(program)))
  })
  return { architecture, program, initrd }
}

/** Names of all sections, in the order in which they run. */
export function sectionNames(guest: GuestProgram): string[] {
  const result = spawnSync(guest.program, ['list'], { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`${guest.program} list: ${result.error?.message ?? `exit ${result.status}`}: this host cannot run ${guest.architecture} programs`)
  return result.stdout.trim().split('\n')
}
