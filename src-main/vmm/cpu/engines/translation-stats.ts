/** What the translator counted, as plain data for --stats and the inspector. */
export interface TranslationStats {
  /** Regions compiled since the machine was made, and the guest instructions in those that are in the cache now. */
  readonly regionsTranslated: number
  readonly instructions: number
  /** How often a region that runs very often was made anew, larger. */
  readonly hotRegions: number
  readonly regionsCached: number
  /** Regions that the run loop can enter now. */
  readonly regionsLinked: number
  readonly modules: number
  readonly wasmBytes: number
  readonly queued: number
  /** Regions unlinked because their code was written to; linked again without compiling; removed for room. */
  readonly invalidations: number
  readonly relinks: number
  readonly evictions: number
  /** Regions whose code had changed when they came from the compiler. */
  readonly stale: number
  /** Blocks whose first instruction only the interpreter executes. */
  readonly untranslatable: number
  /** How often a page was left to the interpreter for a while because its code kept changing. */
  readonly pagesGivenUp: number
  /** Regions or jobs that failed to compile. */
  readonly failures: number
  readonly latestFailure: string
  readonly milliseconds: { readonly plan: number; readonly emit: number; readonly encode: number; readonly compile: number; readonly instantiate: number; readonly link: number; readonly longestPause: number }
}
