// A Debian package of the app's folder, with dpkg-deb alone. electron-builder's own way needs fpm, a Ruby program that it downloads; what it adds is little:
// a tree, a control file and a checksum list (Debian Policy 4.6, chapters 5 and 9). No maintainer scripts: dpkg's triggers see to menus, icons and file types.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, cpSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { ELECTRON } from '../setup/debian-packages.mjs'
import { root } from '../setup/steps.mjs'
import { application, desktopFile, manifest, mimeInfo } from './application.mjs'

const INSTALLED = `/opt/${application.name}`
const ICON_SIZES = [16, 24, 32, 48, 64, 128, 256]
const RIGHTS = { folder: 0o755, file: 0o644, setuid: 0o4755 }

/** Makes the package of `folder` in `output` and answers its path; throws with a sentence when it cannot. */
export function makeDeb(folder, output) {
  const stage = mkdtempSync(join(tmpdir(), 'vitrine-deb-'))
  try {
    chmodSync(stage, RIGHTS.folder) // it becomes the package's root, and is made for one user
    cpSync(folder, join(stage, INSTALLED), { recursive: true })
    // Where the kernel allows no unprivileged user namespaces, this is Chromium's sandbox.
    chmodSync(join(stage, INSTALLED, 'chrome-sandbox'), RIGHTS.setuid)
    link(stage, `/usr/bin/${application.program}`, `${INSTALLED}/${application.program}`)
    link(stage, `/usr/share/doc/${application.package}/vm-json.md`, `${INSTALLED}/vm-json.md`)
    link(stage, '/usr/bin/vitrine', `${INSTALLED}/vitrine`)
    write(stage, `/usr/share/applications/${application.program}.desktop`, desktopFile(application.program))
    write(stage, `/usr/share/mime/packages/${application.program}.xml`, mimeInfo)
    icons(stage)
    write(stage, `/usr/share/doc/${application.package}/copyright`, copyright())
    write(stage, '/DEBIAN/control', control(stage))
    write(stage, '/DEBIAN/md5sums', checksums(stage))
    const path = join(output, `${application.package}_${manifest.version}_amd64.deb`)
    mkdirSync(output, { recursive: true })
    const made = spawnSync('dpkg-deb', ['--root-owner-group', '-Zxz', '-z1', '--build', stage, path], { encoding: 'utf8' })
    if (made.error) throw new Error(`dpkg-deb cannot be run (${made.error.message}); a deb is made on Debian and what descends from it`)
    if (made.status !== 0) throw new Error(`dpkg-deb: ${made.stderr.trim().split('\n').at(-1)}`)
    return path
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}

function control(stage) {
  return `Package: ${application.package}
Version: ${manifest.version}
Architecture: amd64
Maintainer: ${application.maintainer}
Installed-Size: ${Math.ceil(files(stage).reduce((sum, path) => sum + lstatSync(path).size, 0) / 1024)}
Depends: ${[...ELECTRON, 'xdg-utils'].sort().join(', ')}
Recommends: nodejs (>= 18)
Section: otherosfs
Priority: optional
Description: ${application.synopsis}
 Creates and runs virtual PCs: an x86 machine with disks, CD drives, serial
 ports and a display, emulated by a monitor written in TypeScript, and panes
 that show what happens inside it. The command line, vitrine, needs Node.js.
`
}

function copyright() {
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ${application.name}
Comment: Electron's and Chromium's licences are in ${INSTALLED}.

Files: *
Copyright: ${application.maintainer}
License: ${manifest.license}
${readFileSync(join(root, 'LICENSE'), 'utf8').trim().split('\n').map((line) => ` ${line.trim() || '.'}`).join('\n')}
`
}

/** The vector for all sizes, pictures where rsvg-convert is at hand: some menus draw no vectors. */
function icons(stage) {
  const folder = '/usr/share/icons/hicolor'
  const source = join(root, 'resources', 'icons')
  write(stage, `${folder}/scalable/apps/${application.program}.svg`, readFileSync(join(source, 'vitrine.svg')))
  write(stage, `${folder}/512x512/apps/${application.program}.png`, readFileSync(join(source, 'vitrine.png')))
  for (const size of ICON_SIZES) {
    const drawn = spawnSync('rsvg-convert', ['-w', `${size}`, '-h', `${size}`, join(source, 'vitrine.svg')])
    if (drawn.status === 0) write(stage, `${folder}/${size}x${size}/apps/${application.program}.png`, drawn.stdout)
  }
}

function checksums(stage) {
  const installed = files(stage).filter((path) => !relative(stage, path).startsWith('DEBIAN') && !lstatSync(path).isSymbolicLink())
  return installed.map((path) => `${createHash('md5').update(readFileSync(path)).digest('hex')}  ${relative(stage, path)}\n`).join('')
}

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]))
}

function write(stage, path, content) {
  mkdirSync(dirname(join(stage, path)), { recursive: true })
  writeFileSync(join(stage, path), content, { mode: RIGHTS.file })
}

function link(stage, path, target) {
  mkdirSync(dirname(join(stage, path)), { recursive: true })
  symlinkSync(target, join(stage, path))
}
