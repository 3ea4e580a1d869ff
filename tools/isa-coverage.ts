/**
 * Coverage of the instruction table: each row with whether its operation has a meaning, and the id of its test samples.
 *   npx tsx tools/isa-coverage.ts                all rows, as Markdown
 *   npx tsx tools/isa-coverage.ts --missing      only operations without a meaning, and meanings without a row
 *   npx tsx tools/isa-coverage.ts --operations   operations with the sizes and operands that their meanings must handle
 */
import { FAMILIES } from '../src-main/vmm/cpu/isa/table'
import { OPERATIONS } from '../src-main/vmm/cpu/isa/operations'
import { samplesOf } from '../src-main/vmm/cpu/isa/sample'
import { traitsOf } from '../src-main/vmm/cpu/isa/traits'
import { semantics } from '../src-main/vmm/cpu/semantics/index'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
// 'unknown' is the form of what no row describes
const known = new Set(['unknown', ...OPERATIONS.map((shape) => shape.operation)])
const missing = [...known].filter((operation) => !(operation in semantics))
const orphans = Object.keys(semantics).filter((operation) => !known.has(operation))

const printMissing = (): void => {
  say(`operations without a meaning (${missing.length}): ${missing.join(' ') || 'none'}`)
  say(`meanings without a row (${orphans.length}): ${orphans.join(' ') || 'none'}`)
}

const printOperations = (): void => {
  for (const { operation, sizes, operands, variants } of OPERATIONS) {
    say(`${operation} [${sizes.join(',')}]${variants.length > 1 ? ` variants ${variants.join(',')}` : ''} ${operands.join(' | ')}`)
  }
}

const printRows = (): void => {
  say('# Coverage of the instruction table')
  for (const [family, rows] of Object.entries(FAMILIES)) {
    if (rows.length === 0) continue
    const covered = rows.filter((row) => row.operation in semantics).length
    say(`\n## ${family}: ${covered} of ${rows.length} rows have a meaning\n`)
    say('| encoding | operation | operands | feature | flags written (undefined) | meaning | tests |')
    say('| --- | --- | --- | --- | --- | --- | --- |')
    for (const row of rows) {
      const { writes, undefined: free } = traitsOf(row.operation)
      const modes = row.modes === 'all' ? '' : ` (${row.modes})`
      const flags = `${writes}${free ? ` (${free})` : ''}`
      const meaning = row.operation in semantics ? 'yes' : 'no: #UD'
      say(`| ${row.encoding}${modes} | ${row.operation} | ${row.operandText} | ${row.feature ?? ''} | ${flags} | ${meaning} | \`${row.id}\` x ${samplesOf(row).length} |`)
    }
  }
  say('')
  printMissing()
}

if (process.argv.includes('--missing')) printMissing()
else if (process.argv.includes('--operations')) printOperations()
else printRows()
