import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { gpa } from '../support/branded'
import { FakeMemory } from './bios/bios.fixture'
import { eisaId, integer, namePath, packageOf } from './acpi/aml'
import { buildDsdt, buildFadt, buildHpet, buildMadt } from './acpi/tables'
import { memoryMap } from './memory-map'
import { buildMpTable } from './mptable/mptable'
import { buildSmbiosTable } from './smbios/smbios'
import { placeTables } from './tables'

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => total + byte, 0) & 0xff
const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
const OPTIONS = { cpus: 4, serialPorts: 4 }

/** iasl reads what we wrote, and what it read compiles again. */
function disassemble(name: string, table: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-acpi-'))
  try {
    writeFileSync(join(folder, `${name}.aml`), table)
    spawnSync('iasl', ['-d', `${name}.aml`], { cwd: folder })
    const source = readFileSync(join(folder, `${name}.dsl`), 'utf8')
    const compiled = spawnSync('iasl', ['-p', 'again', `${name}.dsl`], { cwd: folder, encoding: 'utf8' })
    if (compiled.status !== 0) throw new Error(compiled.stdout + compiled.stderr)
    return source
  } finally {
    rmSync(folder, { recursive: true })
  }
}
const hasIasl = spawnSync('iasl', ['-v']).status === 0

describe('AML', () => {
  it('encodes names, numbers and packages', () => {
    expect(namePath('\\_SB.PCI0')).toEqual([0x5c, 0x2e, 0x5f, 0x53, 0x42, 0x5f, 0x50, 0x43, 0x49, 0x30])
    expect(namePath('A.B.C')).toEqual([0x2f, 3, 0x41, 0x5f, 0x5f, 0x5f, 0x42, 0x5f, 0x5f, 0x5f, 0x43, 0x5f, 0x5f, 0x5f])
    expect([integer(0), integer(1), integer(2), integer(0x100), integer(0x10000)]).toEqual([[0], [1], [0x0a, 2], [0x0b, 0, 1], [0x0c, 0, 0, 1, 0]])
    expect(packageOf([integer(0), integer(0)])).toEqual([0x12, 4, 2, 0, 0])
    expect(eisaId('PNP0A03')).toEqual([0x0c, 0x41, 0xd0, 0x0a, 0x03])
  })
  it('uses longer lengths for longer packages', () => {
    expect(packageOf(Array.from({ length: 70 }, () => integer(0))).slice(0, 4)).toEqual([0x12, 0x40 | (73 & 15), 73 >> 4, 70])
  })
})

describe('ACPI tables', () => {
  it.each([
    ['DSDT', buildDsdt(OPTIONS)], ['FACP', buildFadt(0x1000, 0x2000)], ['APIC', buildMadt(OPTIONS)], ['HPET', buildHpet()],
  ])('%s has signature, length and sum right', (signature, table) => {
    expect(ascii(table.subarray(0, 4))).toBe(signature)
    expect(new DataView(table.buffer).getUint32(4, true)).toBe(table.length)
    expect(sum(table)).toBe(0)
  })

  it.skipIf(!hasIasl)(`DSDT is understood by iasl${hasIasl ? '' : ' (skipped: iasl, package acpica-tools, is not installed)'}`, () => {
    const source = disassemble('dsdt', buildDsdt(OPTIONS))
    for (const expected of ['Device (PCI0)', 'Device (LNKD)', 'Device (COM4)', 'Device (CP03)', 'Name (_S5, Package (0x04)']) expect(source).toContain(expected)
    expect(source).toMatch(/0x0001FFFF,\s+Zero,\s+\\?_SB\.LNKA/)
    expect(source).toMatch(/0x0003FFFF,\s+One,\s+\\?_SB\.LNKD/)
  })

  it.skipIf(!hasIasl)(`MADT, FADT and HPET are understood by iasl${hasIasl ? '' : ' (skipped: iasl, package acpica-tools, is not installed)'}`, () => {
    const madt = disassemble('apic', buildMadt(OPTIONS))
    expect(madt.match(/\[Processor Local APIC\]/g)).toHaveLength(4)
    expect(madt.match(/\[Interrupt Source Override\]/g)).toHaveLength(5)
    expect(disassemble('facp', buildFadt(0x1000, 0x2000))).toContain('PM1A Event Block Address : 00000600')
    expect(disassemble('hpet', buildHpet())).toContain('00000000FED00000')
  })
})

describe('placing', () => {
  it('leads from the RSDP to every table, inside the area that the memory map keeps', () => {
    const memory = new FakeMemory(0x1000000)
    const { rsdp, smbios, mpFloatingPointer } = placeTables(memory, { cpus: 2, anchorsAt: 0xf1000 })
    const at = (address: number, bytes: number): Uint8Array => memory.bytes.subarray(address, address + bytes)
    expect(ascii(at(rsdp, 8))).toBe('RSD PTR ')
    expect([sum(at(rsdp, 20)), sum(at(rsdp, 36))]).toEqual([0, 0])
    const acpi = memoryMap(memory).find((entry) => entry.type === 3)
    const rsdt = memory.readU32(gpa(rsdp + 16))
    const tables = Array.from({ length: (memory.readU32(gpa(rsdt + 4)) - 36) / 4 }, (_, i) => memory.readU32(gpa(rsdt + 36 + i * 4)))
    expect(tables.map((table) => ascii(at(table, 4)))).toEqual(['FACP', 'APIC', 'HPET'])
    for (const table of [rsdt, memory.readU32(gpa(rsdp + 24)), ...tables]) {
      const bytes = memory.readU32(gpa(table + 4))
      expect(sum(at(table, bytes))).toBe(0)
      expect(table).toBeGreaterThanOrEqual(acpi?.address ?? 0)
      expect(table + bytes).toBeLessThanOrEqual((acpi?.address ?? 0) + (acpi?.bytes ?? 0))
    }
    expect(ascii(at(memory.readU32(gpa((tables[0] ?? 0) + 36)), 4))).toBe('FACS')
    expect([ascii(at(smbios, 4)), sum(at(smbios, 31)), sum(at(smbios + 16, 15))]).toEqual(['_SM_', 0, 0])
    expect([ascii(at(mpFloatingPointer, 4)), sum(at(mpFloatingPointer, 16))]).toEqual(['_MP_', 0])
    const mp = memory.readU32(gpa(mpFloatingPointer + 4))
    expect(sum(at(mp, memory.readU16(gpa(mp + 4))))).toBe(0)
  })
})

describe('MP table', () => {
  it('counts its entries', () => {
    const table = buildMpTable({ cpus: 3 })
    let at = 44
    let count = 0
    while (at < table.length) {
      at += table[at] === 0 ? 20 : 8
      count++
    }
    expect(at).toBe(table.length)
    expect(new DataView(table.buffer).getUint16(34, true)).toBe(count)
  })
})

describe('SMBIOS', () => {
  it.each([[0x8000000, 0x8000000], [0x100000000, 0xc0000000], [48 * 2 ** 30, 0xc0000000]])('has well-formed structures for %i bytes', (ramBytes, lowRamBytes) => {
    const { table, structures, largest } = buildSmbiosTable({ cpus: 2, ramBytes, lowRamBytes, uuid: Uint8Array.from({ length: 16 }, (_, i) => i) })
    const types: number[] = []
    let at = 0
    while (at < table.length) {
      const start = at
      types.push(table[at] ?? 0)
      at += table[at + 1] ?? 1
      while (table[at] !== 0 || table[at + 1] !== 0) at++
      at += 2
      expect(at - start).toBeLessThanOrEqual(largest)
    }
    expect(at).toBe(table.length)
    expect(types.length).toBe(structures)
    expect(new Set(types)).toEqual(new Set([0, 1, 3, 4, 16, 17, 19, 32, 127]))
    expect(types.at(-1)).toBe(127)
  })
})

describe('memory map', () => {
  it.each([[0x4000000, 0x4000000], [0x100000000, 0xc0000000]])('covers RAM without overlap (%i bytes)', (ramBytes, lowRamBytes) => {
    const map = memoryMap({ ramBytes, lowRamBytes })
    const sorted = [...map].sort((a, b) => a.address - b.address)
    sorted.forEach((entry, i) => {
      const next = sorted[i + 1]
      if (next) expect(entry.address + entry.bytes).toBeLessThanOrEqual(next.address)
    })
    const usable = map.filter((entry) => entry.type !== 2).reduce((total, entry) => total + entry.bytes, 0)
    // All but the EBDA and what the screen and the ROM hide.
    expect(ramBytes - usable).toBe(0x60400)
  })
})
