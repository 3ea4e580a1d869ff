/** A power state in words and as an icon. */
import type { PowerState, RunStateType } from '../../../../src-main/ipc/contract'
import { i18n } from '../../i18n'
import type { IconName } from '../../ui/icons'

export function powerText(power: PowerState): string {
  const { t } = i18n.global
  switch (power.type) {
    case 'in-use':
      return power.state === undefined ? t('power.states.in-use', { program: power.program }) : t('power.states.elsewhere', { state: t(`power.states.${power.state}`), program: power.program })
    case 'starting':
      return power.resuming ? t('power.states.resuming') : t('power.states.starting')
    case 'suspending':
      return power.progress ? t('power.states.suspendingShare', { percent: Math.round((power.progress.done / Math.max(1, power.progress.total)) * 100) }) : t('power.states.suspending')
    default:
      return t(`power.states.${power.type}`)
  }
}

const BADGES: Readonly<Record<RunStateType, IconName>> = { starting: 'running', running: 'running', 'powering-off': 'running', paused: 'suspend', suspending: 'suspend', crashed: 'error' }

/** A badge on the VM's icon; undefined: it is off. */
export function powerBadge(power: PowerState): IconName | undefined {
  switch (power.type) {
    case 'suspended':
      return 'suspend'
    case 'failed':
      return 'error'
    case 'in-use':
      return power.state === undefined ? 'lock' : BADGES[power.state]
    case 'powered-off':
      return undefined
    default:
      return BADGES[power.type]
  }
}

export function isBusy(power: PowerState): boolean {
  return power.type === 'starting' || power.type === 'suspending' || power.type === 'powering-off'
}

/** Share of a long step that is done, when it is known. */
export function powerProgress(power: PowerState): number | undefined {
  return power.type === 'suspending' && power.progress ? power.progress.done / Math.max(1, power.progress.total) : undefined
}
