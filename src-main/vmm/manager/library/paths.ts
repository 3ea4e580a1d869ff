/** Where the library is on this host: the XDG base directories on Linux, the platform's places elsewhere. */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

export interface LibraryPaths {
  /** The list of VMs. */
  readonly inventory: string
  /** Where new VMs go unless the inventory says otherwise. */
  readonly location: string
}

export function libraryPaths(environment: Readonly<Record<string, string | undefined>> = process.env, platform: NodeJS.Platform = process.platform): LibraryPaths {
  const home = homedir()
  return { inventory: join(configFolder(environment, platform, home), 'vitrine', 'inventory.json'), location: join(home, 'Virtual Machines') }
}

function configFolder(environment: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform, home: string): string {
  const { XDG_CONFIG_HOME: xdg, APPDATA: appData } = environment
  // The specification: a path that is not absolute is to be ignored.
  if (xdg !== undefined && isAbsolute(xdg)) return xdg
  if (platform === 'darwin') return join(home, 'Library', 'Application Support')
  if (platform === 'win32' && appData !== undefined && isAbsolute(appData)) return appData
  return join(home, '.config')
}
