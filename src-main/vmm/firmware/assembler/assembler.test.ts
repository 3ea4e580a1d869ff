import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { romSource } from '../bios/rom-source'
import { assemble, SourceError } from '.'

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const code = (source: string): string => hex(assemble(source).bytes)

function failure(source: string): SourceError {
  try {
    assemble(source, { file: 'x.asm' })
  } catch (error) {
    if (error instanceof SourceError) return error
    throw error
  }
  throw new Error('it assembled')
}

const hasNasm = spawnSync('nasm', ['-v']).status === 0

function nasm(source: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-asm-'))
  try {
    writeFileSync(join(folder, 'a.asm'), source)
    execFileSync('nasm', ['-f', 'bin', '-o', join(folder, 'a.bin'), join(folder, 'a.asm')])
    return readFileSync(join(folder, 'a.bin'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('assembler', () => {
  it('encodes the fixture as committed', () => {
    const expected = readFileSync(here('fixture.hex'), 'utf8').replaceAll('\n', '')
    expect(code(readFileSync(here('fixture.asm'), 'utf8'))).toBe(expected)
  })

  it.skipIf(!hasNasm)(`agrees with NASM on fixture, BIOS and demo guest${hasNasm ? '' : ' (skipped: nasm is not installed)'}`, () => {
    const guest = readFileSync(here('../../../../resources/demo-guest/guest.asm'), 'utf8')
    const boot = `STAGE_SECTORS equ 8\n${readFileSync(here('../../../../resources/demo-guest/boot.asm'), 'utf8')}`
    for (const source of [readFileSync(here('fixture.asm'), 'utf8'), romSource(), guest, boot]) expect(code(source)).toBe(hex(nasm(source)))
  })

  it('takes the short branch when it reaches, else the near one', () => {
    expect(code('jmp a\na: nop')).toBe('eb0090')
    expect(code('jnz a\ntimes 128 nop\na:').slice(0, 8)).toBe('0f858000')
    expect(code('a: times 126 nop\njmp a').slice(-4)).toBe('eb80')
  })

  it('scopes local labels to the label before them', () => {
    expect(code('a:\n.x: jmp .x\nb:\n.x: jmp .x')).toBe('ebfeebfe')
  })

  it('knows $, $$, times, equ and org', () => {
    const image = assemble('org 0x7c00\nsize equ 8\nstart: dw $, $$, start\ntimes size - ($ - $$) db 0xee')
    expect(hex(image.bytes)).toBe('007c007c007ceeee')
    expect(image.origin).toBe(0x7c00)
    expect(image.symbols.get('size')).toBe(8)
  })

  it('sign-extends immediates that fit a byte', () => {
    expect(code('add ax, 0xfff0')).toBe('83c0f0')
    expect(code('bits 32\ncmp ebx, -1')).toBe('83fbff')
    expect(code('bits 64\nand rax, -16')).toBe('4883e0f0')
  })

  it('keeps all bits of 64-bit constants', () => {
    expect(code('dq 0xfedcba9876543210')).toBe('1032547698badcfe')
    expect(code('bits 64\nmov rax, 0xfedcba9876543210')).toBe('48b81032547698badcfe')
  })

  it.each([
    ['nop\nfrob ax', 2, "unknown instruction 'frob'"],
    ['mov ax, nowhere', 1, "'nowhere' is not defined"],
    ['\n\ninc [bx]', 3, "operand size not specified for 'inc' (byte, word, dword ...)"],
    ['mov al, 0x100', 1, '256 does not fit 8 bits'],
    ['a: nop\na: nop', 2, "'a' is defined twice"],
    ['mov ax, ebx', 1, "'mov' cannot take these operands"],
    ['jmp short a\ntimes 200 nop\na:', 1, 'branch target is 200 bytes away, too far for a short branch'],
    ['mov eax, [bx + ax]', 1, '[bx+ax] is not a 16-bit address'],
    ['push rax', 1, '64-bit register outside of 64-bit code'],
    ["db 'abc", 1, "unterminated string 'abc"],
    ['times -1 nop', 1, 'times -1: the count is negative'],
    ['bits 64\npusha', 2, 'pusha does not exist in 64-bit code'],
  ])('says what is wrong with %j', (source, line, reason) => {
    const error = failure(source)
    expect(error.reason).toBe(reason)
    expect(error.line).toBe(line)
    expect(error.message).toBe(`x.asm:${line}: ${reason}`)
  })
})
