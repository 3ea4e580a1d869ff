/** Saved states of the IDE controller and its drives: version 1 of each. They are declared beside the volatile fields that they hold. */
export type { AtaDiskState } from './ata-disk'
export type { AtapiCdromState } from './atapi-cdrom'
export type { ChannelState } from './channel'
export type { IdeState } from './ide-controller'
