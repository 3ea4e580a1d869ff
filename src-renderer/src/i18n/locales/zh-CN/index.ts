import { common } from './common'
import { guest } from './guest'
import { media } from './media'
import { problems } from './problems'
import { settings } from './settings'
import { wizard } from './wizard'

export const zhCN = { common, guest, media, problems, settings, wizard }
