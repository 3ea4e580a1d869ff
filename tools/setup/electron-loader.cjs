// The fallback runtime comes without the part of Electron that loads the app named on its command line (default_app.asar). This stands in for
// it: set-up copies it into the runtime's resources/app. `electron [switches] FOLDER [arguments]` then works as with any Electron.
const { app } = require('electron')
const { readFileSync } = require('node:fs')
const { join, resolve } = require('node:path')

const given = process.argv.slice(1).find((argument) => !argument.startsWith('-'))
if (given === undefined) {
  process.stderr.write('electron: name the folder of an app\n')
  app.exit(2)
} else {
  const folder = resolve(given)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  app.setName(manifest.productName ?? manifest.name)
  app.setVersion(manifest.version)
  app.setAppPath(folder)
  require(join(folder, manifest.main))
}
