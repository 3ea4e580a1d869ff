import { common } from './common'
import { problems } from './problems'

export const en = { common, problems }
