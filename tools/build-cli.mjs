// Bundles the command line for plain Node: out/cli/vitrine.mjs, and beside it machine.mjs, the worker thread in which its VMs run.
import { build } from 'esbuild'
import { chmodSync } from 'node:fs'

const program = 'out/cli/vitrine.mjs'
// What CommonJS packages (wabt) expect to find.
const banner = [
  "import { createRequire as vitrineCreateRequire } from 'node:module'",
  "import { dirname as vitrineDirname } from 'node:path'",
  "import { fileURLToPath as vitrineFileURLToPath } from 'node:url'",
  'const require = vitrineCreateRequire(import.meta.url)',
  'const __filename = vitrineFileURLToPath(import.meta.url)',
  'const __dirname = vitrineDirname(__filename)',
].join('\n')
const options = {
  bundle: true,
  platform: 'node',
  target: 'node18',
  format: 'esm',
  sourcemap: true,
  logLevel: 'warning',
}
await build({ ...options, entryPoints: ['src-main/cli/index.ts'], outfile: program, banner: { js: `#!/usr/bin/env node\n${banner}` } })
await build({ ...options, entryPoints: ['src-main/vmm/machine/machine.worker.ts'], outfile: 'out/cli/machine.mjs', banner: { js: banner } })
chmodSync(program, 0o755)
