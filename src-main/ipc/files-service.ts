/** Files that the user points at: dialogs, drops, and what the files are. */
import { basename } from 'node:path'
import type { Desktop } from './desktop'
import type { KnownPaths } from './known-paths'
import { refusal } from './problem-dto'
import type { HandlersOf } from './server'
import { describeMedia } from '../vmm'

export interface FilesServiceOptions {
  readonly known: KnownPaths
  readonly desktop: Desktop
}

export class FilesService {
  constructor(private readonly options: FilesServiceOptions) {}

  readonly handlers: HandlersOf<'files'> = {
    'files.choose': async ({ purpose, suggested }, window) => {
      const { known, desktop } = this.options
      // A folder that the page made up says nothing to the user.
      const start = suggested === undefined || known.knows(suggested, 'read') ? suggested : basename(suggested)
      const path = await desktop.choose(window, purpose, start)
      if (path !== undefined) known.chosen(path, purpose)
      return path
    },
    'files.describe': async ({ path }) => {
      this.options.known.check(path, 'read')
      const described = await describeMedia(path)
      return described.ok ? { ok: true, value: described.value } : refusal(described.problem)
    },
  }
}
