/** What can be seen of the code cache: the hottest regions, and what each was made from (region-report.ts says the rest of it, on any thread). */
import { disassemble, type CodeMode } from '../isa/disassembler'
import { KEY_FLAT } from '../layout'
import { addressOf } from '../translator/region-plan'
import type { CodeCache } from '../code-cache/code-cache'
import type { Region, RegionSource } from '../code-cache/region'

export interface RegionSummary {
  /** Of this machine, never used again. */
  readonly id: number
  /** Guest-physical address of its first block. */
  readonly address: number
  /** 16, 32 or 64. */
  readonly codeBits: number
  /** Translated for segments without base and limit. */
  readonly flat: boolean
  /** Made generously, because it runs very often; others are made sparingly. */
  readonly hot: boolean
  readonly instructions: number
  readonly codeBytes: number
  readonly blocks: number
  readonly entries: number
  /** Bytes of its WebAssembly function. */
  readonly wasmBytes: number
  /** How often the run loop has entered it. */
  readonly runs: number
  /** Whether it can be entered now. */
  readonly linked: boolean
}

/** Plain data, which may go to another thread. */
export interface RegionSnapshot extends RegionSummary {
  readonly source: RegionSource
  /** Functions that regions may call. */
  readonly coreExports: readonly string[]
}

const CODE_MODE_MASK = 3
const CODE_BITS = [16, 32, 64]

export class RegionInspector {
  constructor(
    private readonly cache: CodeCache,
    private readonly coreExports: ReadonlySet<string>,
  ) {}

  hottestRegions(count: number): RegionSummary[] {
    return this.hottest(count).map(summary)
  }

  hottestSnapshots(count: number): RegionSnapshot[] {
    return this.hottest(count).map((region) => this.snapshot(region))
  }

  /** The regions that have the instruction at a guest-physical address, the hottest first. */
  regionsAt(address: number): RegionSnapshot[] {
    return this.hottest(Infinity, (region) => region.has(address, 1)).map((region) => this.snapshot(region))
  }

  region(id: number): RegionSnapshot | undefined {
    for (const region of this.cache.regions()) if (region.id === id) return this.snapshot(region)
    return undefined
  }

  /** Those that can be entered now come first: the others may have been hot in a program that is gone. */
  private hottest(count: number, wanted: (region: Region) => boolean = () => true): Region[] {
    return [...this.cache.regions()].filter(wanted).sort((a, b) => Number(b.slot >= 0) - Number(a.slot >= 0) || b.runs - a.runs || a.id - b.id).slice(0, count)
  }

  private snapshot(region: Region): RegionSnapshot {
    return { ...summary(region), source: region.source, coreExports: [...this.coreExports] }
  }
}

function summary(region: Region): RegionSummary {
  const { plan, code } = region.source
  return {
    id: region.id,
    address: region.page + (plan.blocks[0]?.offset ?? 0),
    codeBits: CODE_BITS[plan.key & CODE_MODE_MASK] ?? 0,
    flat: (plan.key & KEY_FLAT) !== 0,
    hot: region.hot,
    instructions: region.instructions,
    codeBytes: code.length,
    blocks: plan.blocks.length,
    entries: plan.entries.length,
    wasmBytes: region.wasmBytes,
    runs: region.runs,
    linked: region.slot >= 0,
  }
}

/** One line for each instruction; blocks begin with a line "address:". */
export function disassembleRegion({ plan, code }: RegionSource): string[] {
  const lines: string[] = []
  let at = 0
  for (const { offset, bytes } of plan.blocks) {
    const address = addressOf(plan, offset)
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
