import { about } from './about'
import { common } from './common'
import { console } from './console'
import { guest } from './guest'
import { home } from './home'
import { inspection } from './inspection'
import { library } from './library'
import { media } from './media'
import { messages } from './messages'
import { phrases } from './phrases'
import { power } from './power'
import { preferences } from './preferences'
import { problems } from './problems'
import { serial } from './serial'
import { settings } from './settings'
import { shell } from './shell'
import { summary } from './summary'
import { wizard } from './wizard'

export const en = {
  about,
  common,
  console,
  guest,
  home,
  inspection,
  library,
  media,
  messages,
  phrases,
  power,
  preferences,
  problems,
  serial,
  settings,
  shell,
  summary,
  wizard,
}

/** The shape of every catalogue. */
export type Catalogue = typeof en
