import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { hashOf, once, root, run, say } from './steps.mjs'

const isSource = (path) => !/\.test\.ts$|\.md$/.test(path)

/** The core (WebAssembly), the command line and the desktop app, each only when its sources changed. */
export function ensureBuild() {
  const sources = ['src-main', 'src-renderer', 'resources', 'tools', 'package-lock.json', 'electron.vite.config.ts']
  once(join(root, 'out', '.vitrine-build'), hashOf(sources, isSource), () => {
    say('building the core, the command line and the app')
    run(process.execPath, ['--import', 'tsx', join('tools', 'build-core.ts')])
    run(process.execPath, [join('tools', 'build-cli.mjs')])
    if (existsSync(join(root, 'electron.vite.config.ts'))) run(process.execPath, [join('node_modules', 'electron-vite', 'bin', 'electron-vite.js'), 'build', '--logLevel', 'warn'])
  })
}
