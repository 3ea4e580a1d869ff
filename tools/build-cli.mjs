// Bundles the command line for plain Node: out/cli/vitrine.mjs.
import { build } from 'esbuild'
import { chmodSync } from 'node:fs'

const outfile = 'out/cli/vitrine.mjs'
await build({
  entryPoints: ['src-main/cli/index.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node18',
  format: 'esm',
  sourcemap: true,
  logLevel: 'warning',
  banner: { js: "#!/usr/bin/env node\nimport { createRequire as vitrineCreateRequire } from 'node:module'\nconst require = vitrineCreateRequire(import.meta.url)" },
})
chmodSync(outfile, 0o755)
