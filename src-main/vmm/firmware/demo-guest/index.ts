import { readFileSync } from 'node:fs'
import { packageFile } from '../../support/package-folder'
import { buildDemoDiskFrom } from './disk-image'

export { buildDemoDiskFrom, DEMO_DISK_SECTORS } from './disk-image'
export type { DemoSources } from './disk-image'

/** The demo guest's disk, assembled from the sources in resources/demo-guest. */
export function buildDemoDisk(): Uint8Array {
  const source = (name: string): string => readFileSync(packageFile(`resources/demo-guest/${name}`), 'utf8')
  return buildDemoDiskFrom({ boot: source('boot.asm'), guest: source('guest.asm') })
}
