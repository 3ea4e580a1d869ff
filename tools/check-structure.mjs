// House rules that no linter knows: length of files, the five files of a device, the count of lint exceptions. Exit 1 when one is broken.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { root } from './setup/steps.mjs'

const WARN_LINES = 500
const MAX_LINES = 900
/** Tables may be as long as what they list. */
const TABLES = [/\/isa\/table\//, /\/instruction-table\.ts$/, /\/generated\//]
/** Lint exceptions there are now; the number may only fall. AssemblyScript's own (`@ts-ignore: decorator`) are part of its syntax. */
const LINT_EXCEPTIONS = 0
/** Devices whose register names stand elsewhere. */
const REGISTERS_ELSEWHERE = { i8042: 'i8042.ts' }
/** Folders of devices that have an interface to the guest in common: one README for all, and what is small stands in the device's file. */
const FAMILIES = ['scsi', 'virtio', 'xen']

const problems = []
const warnings = []
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((path) => /\.(ts|vue|mjs|cjs|js|c)$/.test(path) && existsSync(join(root, path)))
const sources = new Map(files.map((path) => [path, readFileSync(join(root, path), 'utf8')]))

checkLengths()
checkDevices()
checkLintExceptions()

for (const text of warnings) process.stdout.write(`warning: ${text}\n`)
for (const text of problems) process.stdout.write(`error: ${text}\n`)
process.stdout.write(`structure: ${files.length} files, ${warnings.length} warnings, ${problems.length} errors\n`)
process.exit(problems.length === 0 ? 0 : 1)

function checkLengths() {
  for (const [path, text] of sources) {
    if (TABLES.some((table) => table.test(path))) continue
    const lines = text.split('\n').length - 1
    if (lines > MAX_LINES) problems.push(`${path}: ${lines} lines; split it by concept (at most ${MAX_LINES})`)
    else if (lines > WARN_LINES) warnings.push(`${path}: ${lines} lines; ${WARN_LINES} is where splitting starts to help`)
  }
}

function checkDevices() {
  const devices = join(root, 'src-main', 'vmm', 'devices')
  for (const entry of readdirSync(devices, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    const names = readdirSync(join(devices, entry.name))
    if (FAMILIES.includes(entry.name)) {
      checkFamily(join(devices, entry.name), names)
      continue
    }
    const needed = { 'README.md': names.includes('README.md'), 'state.ts': names.includes('state.ts') }
    needed['registers.ts'] = names.includes('registers.ts') || names.includes(REGISTERS_ELSEWHERE[entry.name])
    needed['a test'] = names.some((name) => name.endsWith('.test.ts'))
    needed['the device'] = names.some((name) => name.endsWith('.ts') && entry.name.startsWith(basename(name, '.ts').split('-')[0] ?? ''))
    for (const [what, there] of Object.entries(needed)) if (!there) problems.push(`src-main/vmm/devices/${entry.name}: ${what} is missing`)
  }
}

function checkFamily(folder, names) {
  const place = folder.slice(root.length + 1)
  if (!names.includes('README.md')) problems.push(`${place}: README.md is missing`)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory() && !readdirSync(join(folder, entry.name)).some((name) => name.endsWith('.test.ts'))) problems.push(`${place}/${entry.name}: a test is missing`)
  }
}

function checkLintExceptions() {
  let count = 0
  for (const [path, text] of sources) {
    if (path.startsWith('src-main/vmm/cpu/core/') || path.startsWith('tools/check-structure')) continue
    for (const [i, line] of text.split('\n').entries()) {
      if (!/eslint-disable|@ts-expect-error|@ts-ignore|@ts-nocheck/.test(line)) continue
      count++
      if (!/ -- \S/.test(line)) problems.push(`${path}:${i + 1}: a lint exception without "-- reason"`)
    }
  }
  if (count > LINT_EXCEPTIONS) problems.push(`${count} lint exceptions; there were ${LINT_EXCEPTIONS}, and the number may only fall`)
  process.stdout.write(`lint exceptions: ${count}\n`)
}
