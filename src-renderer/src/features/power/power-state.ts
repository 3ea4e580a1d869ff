/** A power state in words and as an icon. */
import type { PowerState } from '../../../../src-main/ipc/contract'
import { i18n } from '../../i18n'
import type { IconName } from '../../ui/icons'

export function powerText(power: PowerState): string {
  const { t } = i18n.global
  switch (power.type) {
    case 'in-use':
      return t('power.states.in-use', { program: power.program })
    case 'starting':
      return power.resuming ? t('power.states.resuming') : t('power.states.starting')
    case 'suspending':
      return power.progress ? t('power.states.suspendingShare', { percent: Math.round((power.progress.done / Math.max(1, power.progress.total)) * 100) }) : t('power.states.suspending')
    default:
      return t(`power.states.${power.type}`)
  }
}

/** A badge on the VM's icon; undefined: it is off. */
export function powerBadge(power: PowerState): IconName | undefined {
  switch (power.type) {
    case 'running':
    case 'starting':
    case 'powering-off':
      return 'running'
    case 'paused':
    case 'suspended':
    case 'suspending':
      return 'suspend'
    case 'crashed':
    case 'failed':
      return 'error'
    case 'in-use':
      return 'lock'
    case 'powered-off':
      return undefined
  }
}

export function isBusy(power: PowerState): boolean {
  return power.type === 'starting' || power.type === 'suspending' || power.type === 'powering-off'
}

/** Share of a long step that is done, when it is known. */
export function powerProgress(power: PowerState): number | undefined {
  return power.type === 'suspending' && power.progress ? power.progress.done / Math.max(1, power.progress.total) : undefined
}
