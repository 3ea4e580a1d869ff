/** What can be seen of the code cache: the hottest regions, and all about one of them (--dump-region, the inspector's pane). */
import { HelperImports } from '../emit/helper-imports'
import { helperTable } from '../helpers/index'
import { disassemble, type CodeMode } from '../isa/disassembler'
import { KEY_FLAT } from '../layout'
import type { CodeCache } from '../code-cache/code-cache'
import type { Region, RegionSource } from '../code-cache/region'
import { emitRegion } from '../translator/emit-region'
import { encodeModule } from '../wasm/emit'
import { print } from '../wasm/ir'
import { regionName, type EmitRegion } from './compile-regions'

export interface RegionSummary {
  /** Guest-physical address of its first block. */
  readonly address: number
  /** 16, 32 or 64. */
  readonly codeBits: number
  /** Translated for segments without base and limit. */
  readonly flat: boolean
  readonly instructions: number
  readonly blocks: number
  readonly entries: number
  /** How often the run loop has entered it. */
  readonly runs: number
  /** Whether it can be entered now. */
  readonly linked: boolean
}

export interface RegionDescription extends RegionSummary {
  /** One line for each instruction; blocks begin with a line "address:". */
  readonly x86: readonly string[]
  /** The IR after each pass, in order. */
  readonly passes: readonly { readonly name: string; readonly text: string }[]
  /** The function as a module of its own. */
  readonly wasm: Uint8Array
}

const CODE_MODE_MASK = 3
const CODE_BITS = [16, 32, 64]

export class RegionInspector {
  constructor(
    private readonly cache: CodeCache,
    private readonly coreExports: ReadonlySet<string>,
    private readonly emit: EmitRegion = emitRegion,
  ) {}

  hottestRegions(count: number): RegionSummary[] {
    return [...this.cache.regions()]
      .sort((a, b) => b.runs - a.runs)
      .slice(0, count)
      .map(summary)
  }

  /** The regions that have the instruction at a guest-physical address. */
  describeRegion(address: number): RegionDescription[] {
    const holds = ({ page, source }: Region): boolean =>
      source.plan.blocks.some(({ offset, bytes }) => address >= page + offset && address < page + offset + bytes)
    return [...this.cache.regions()].filter(holds).map((region) => this.describe(region))
  }

  private describe(region: Region): RegionDescription {
    const helpers = new HelperImports(helperTable, this.coreExports)
    const fn = this.emit(regionName(0), region.source.plan, helpers)
    return {
      ...summary(region),
      x86: disassembleRegion(region.source),
      passes: [{ name: 'emit', text: print(fn) }],
      wasm: encodeModule({ imports: helpers.imports, functions: [fn, ...helpers.functions], exports: [fn], names: true }),
    }
  }
}

function summary(region: Region): RegionSummary {
  const { plan } = region.source
  return {
    address: region.page + (plan.blocks[0]?.offset ?? 0),
    codeBits: CODE_BITS[plan.key & CODE_MODE_MASK] ?? 0,
    flat: (plan.key & KEY_FLAT) !== 0,
    instructions: region.instructions,
    blocks: plan.blocks.length,
    entries: plan.entries.length,
    runs: region.runs,
    linked: region.slot >= 0,
  }
}

/** One line for each instruction; blocks begin with a line "address:". */
export function disassembleRegion({ plan, code }: RegionSource): string[] {
  const lines: string[] = []
  let at = 0
  for (const { offset, bytes } of plan.blocks) {
    const address = plan.page + offset
    lines.push(`${address.toString(16)}:`)
    for (const end = at + bytes; at < end;) {
      const here = address + bytes - (end - at)
      const { text, length } = disassemble(code.subarray(0, end), at, (plan.key & CODE_MODE_MASK) as CodeMode, here)
      lines.push(`  ${here.toString(16)}  ${text}`)
      at += Math.max(1, length)
    }
  }
  return lines
}
