import type { Catalogue } from '../en'
import { about } from './about'
import { common } from './common'
import { guest } from './guest'
import { home } from './home'
import { library } from './library'
import { media } from './media'
import { messages } from './messages'
import { power } from './power'
import { preferences } from './preferences'
import { problems } from './problems'
import { settings } from './settings'
import { shell } from './shell'
import { summary } from './summary'
import { wizard } from './wizard'

export const zhCN: Catalogue = {
  about,
  common,
  guest,
  home,
  library,
  media,
  messages,
  power,
  preferences,
  problems,
  settings,
  shell,
  summary,
  wizard,
}
