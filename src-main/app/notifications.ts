/** What happens to VMs while nobody looks, as notifications of the desktop. */
import { Notification } from 'electron'
import type { LogMessage, MessageId } from '../ipc/contract'
import type { Words } from './words'

const TOLD: Partial<Record<MessageId, (words: Words) => string>> = {
  'powered-off': (words) => words.poweredOff,
  suspended: (words) => words.suspended,
  'guest-crashed': (words) => words.crashed,
  'guest-met-unknown': (words) => words.crashed,
  failed: (words) => words.failed,
}

export function notify(message: LogMessage, words: Words, show: (vm: string) => void): void {
  const { id, vm, vmName } = message
  const text = TOLD[id]
  if (!text || vm === undefined || !Notification.isSupported()) return
  const notification = new Notification({ title: vmName ?? 'Vitrine', body: text(words) })
  notification.on('click', () => show(vm))
  notification.show()
}
