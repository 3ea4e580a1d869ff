/** Links from block to block (core/decode/links): blocks that follow each other in a page are not looked up again, and nothing else changes. */
import { beforeEach, expect, it } from 'vitest'
import * as L from '../layout'
import * as D from '../layout-decode'
import { CODE, TestMachine, protect } from './test-machine'

const m = new TestMachine()
const FLAT_32 = 1 | L.KEY_FLAT
const HLT = 0xf4
const RUNS = 1000

const header = (gpa: number): number => m.core.core('code_block')(gpa, FLAT_32)
const first = (gpa: number): number => header(gpa) + L.BLOCK_HEADER_BYTES
const lastOf = (gpa: number): number => first(gpa) + (m.view.getUint32(header(gpa) + L.BLOCK_RECORDS, true) - 1) * L.REC_BYTES
const taken = (gpa: number): number => m.view.getUint32(lastOf(gpa) + D.LINK_TAKEN, true)
const behind = (gpa: number): number => m.view.getUint32(lastOf(gpa) + D.LINK_BEHIND, true)
const counted = (gpa: number): number => m.view.getUint32(header(gpa) + L.BLOCK_ENTRY, true)

/** mov ecx, RUNS; LOOP: inc eax; test al, 1; jz EVEN; inc edx; EVEN: dec ecx; jnz LOOP; hlt */
const LOOP = CODE + 5
const EVEN = CODE + 11
const COUNT = [0xb9, RUNS & 0xff, RUNS >> 8, 0, 0, 0x40, 0xa8, 0x01, 0x74, 0x01, 0x42, 0x49, 0x75, 0xf7, HLT]

let retiredBefore = 0
function start(code: number[], threshold: number): void {
  m.code(CODE, code)
  m.core.core('flush_code')()
  m.view.setUint32(D.HOT_THRESHOLD, threshold, true)
  m.vcpu.rip = CODE
  for (const register of [0, 2]) m.view.setBigUint64(m.vcpu.base + L.REG_GPR + register * 8, 0n, true)
  retiredBefore = m.vcpu.retired
}

beforeEach(() => {
  protect(m)
  m.core.regionHost = { wanted: () => undefined, codeDropped: () => undefined, blockRefused: () => undefined }
})

it('links both ways of a jump, and counts blocks and instructions as without', () => {
  const seen = [0, 1_000_000].map((threshold) => {
    protect(m)
    start(COUNT, threshold)
    m.runToHalt(100_000)
    return [m.vcpu.gpr32('rax'), m.vcpu.gpr32('rdx'), m.vcpu.retired - retiredBefore, counted(LOOP), counted(EVEN), counted(EVEN - 1)]
  })
  expect(seen[1]).toEqual(seen[0])
  expect([taken(LOOP), behind(LOOP)]).toEqual([first(EVEN), first(EVEN - 1)])
  expect(taken(EVEN)).toBe(first(LOOP))
  expect(taken(EVEN - 1)).toBe(first(LOOP))
})

it('ends a slice at the very instruction, and finds a block hot as without', () => {
  const wanted: number[] = []
  m.core.regionHost = { wanted: (_vcpu, block) => void wanted.push(block), codeDropped: () => undefined, blockRefused: () => undefined }
  start(COUNT, 700)
  for (let slices = 0; m.vcpu.retired - retiredBefore < 1000; slices++) {
    expect(m.run(7)).toEqual({ kind: 'deadline' })
    expect(m.vcpu.retired - retiredBefore).toBe(7 * (slices + 1))
  }
  m.runToHalt(100_000)
  expect(wanted).toEqual([header(LOOP)])
})

it('does not go on with a block that was dropped', () => {
  // LOOP: inc dword [TARGET + 1]; jmp TARGET; TARGET: mov eax, 0; dec ecx; jnz LOOP; hlt
  const target = CODE + 16
  const bytes = [0xb9, 100, 0, 0, 0, 0xff, 0x05, ...[0, 8, 16, 24].map((shift) => ((target + 1) >> shift) & 0xff), 0xeb, 3, 0x90, 0x90, 0x90]
  start([...bytes, 0xb8, 0, 0, 0, 0, 0x49, 0x75, 0xed, HLT], 1_000_000)
  m.runToHalt(100_000)
  expect([m.vcpu.gpr32('rax'), m.vcpu.gpr32('rcx')]).toEqual([100, 0])
})

it('does not link what is in another page', () => {
  m.code(CODE + 0x1000, [HLT])
  start([0xe9, 0xfb, 0x0f, 0, 0], 1_000_000) // jmp CODE + 1000h
  m.runToHalt(100_000)
  expect(taken(CODE)).toBe(D.LINK_NONE)
})

it('starts anew when everything is flushed', () => {
  start(COUNT, 1_000_000)
  expect(m.run(8)).toEqual({ kind: 'deadline' })
  m.core.core('flush_code')()
  m.runToHalt(100_000)
  expect([m.vcpu.gpr32('rax'), m.vcpu.gpr32('rdx')]).toEqual([RUNS, RUNS / 2])
})
