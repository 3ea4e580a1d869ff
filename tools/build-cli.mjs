// Bundles the command line for plain Node: out/cli/vitrine.mjs.
import { build } from 'esbuild'
import { chmodSync } from 'node:fs'

const outfile = 'out/cli/vitrine.mjs'
// What CommonJS packages (wabt) expect to find.
const banner = [
  '#!/usr/bin/env node',
  "import { createRequire as vitrineCreateRequire } from 'node:module'",
  "import { dirname as vitrineDirname } from 'node:path'",
  "import { fileURLToPath as vitrineFileURLToPath } from 'node:url'",
  'const require = vitrineCreateRequire(import.meta.url)',
  'const __filename = vitrineFileURLToPath(import.meta.url)',
  'const __dirname = vitrineDirname(__filename)',
].join('\n')
await build({
  entryPoints: ['src-main/cli/index.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node18',
  format: 'esm',
  sourcemap: true,
  logLevel: 'warning',
  banner: { js: banner },
})
chmodSync(outfile, 0o755)
