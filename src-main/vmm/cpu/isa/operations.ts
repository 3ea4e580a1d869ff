/**
 * Every operation of the table with the operands and sizes that its meaning must handle; derived. This is what semantics/ implements:
 * print it with `npx tsx tools/isa-coverage.ts --operations`.
 */
import { forms } from './forms'

export interface OperationShape {
  readonly operation: string
  readonly sizes: readonly number[]
  /** Distinct operand shapes, e.g. 'gpr4 mem4'. */
  readonly operands: readonly string[]
  readonly variants: readonly number[]
}

const collect = (): readonly OperationShape[] => {
  const byName = new Map<string, { sizes: Set<number>; operands: Set<string>; variants: Set<number> }>()
  for (const form of forms) {
    if (form.handler === 0) continue
    const entry = byName.get(form.operation) ?? { sizes: new Set(), operands: new Set(), variants: new Set() }
    entry.sizes.add(form.size)
    entry.operands.add(form.operands.map((operand) => ('bytes' in operand ? `${operand.kind}${operand.bytes}` : operand.kind)).join(' '))
    entry.variants.add(form.variant)
    byName.set(form.operation, entry)
  }
  return [...byName].map(([operation, { sizes, operands, variants }]) => ({
    operation, sizes: [...sizes], operands: [...operands], variants: [...variants],
  }))
}

export const OPERATIONS: readonly OperationShape[] = collect()
