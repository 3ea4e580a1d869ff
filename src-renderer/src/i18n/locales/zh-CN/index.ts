import type { Catalogue } from '../..'
import { common } from './common'
import { problems } from './problems'

export const zhCN: Catalogue = { common, problems }
