/** A device of a VM in words: icon, name, value, and the settings page that it opens. */
import type { DeviceSummary } from '../../../../src-main/ipc/contract'
import { i18n } from '../../i18n'
import { bytesText, fileName } from '../../ui/format'
import type { IconName } from '../../ui/icons'

export interface DeviceText {
  readonly icon: IconName
  readonly name: string
  readonly value: string
  readonly page: string
}

const MIB = 2 ** 20

export function deviceText(device: DeviceSummary): DeviceText {
  const { t } = i18n.global
  switch (device.kind) {
    case 'memory':
      return { icon: 'memory', name: t('summary.device.memory'), value: bytesText(device.mebibytes * MIB), page: 'memory' }
    case 'processors':
      return { icon: 'processor', name: t('summary.device.processors'), value: String(device.count), page: 'processors' }
    case 'disk': {
      const size = device.bytes === undefined ? fileName(device.file) : bytesText(device.bytes)
      return { icon: 'disk', name: t('summary.device.disk', { n: device.index + 1 }), value: device.readOnly ? `${size}, ${t('summary.value.readOnly')}` : size, page: `disk-${device.index}` }
    }
    case 'demo-disk':
      return { icon: 'disk', name: t('summary.device.demoDisk'), value: t('summary.value.demoDisk'), page: 'demo-disk' }
    case 'cdrom': {
      const value = device.file === undefined ? t('summary.value.noDisc') : device.connected ? t('summary.value.using', { file: fileName(device.file) }) : t('summary.value.disconnected')
      return { icon: 'cdrom', name: t('summary.device.cdrom', { n: device.index + 1 }), value, page: `cdrom-${device.index}` }
    }
    case 'serial-port': {
      const values = { terminal: device.log === undefined ? t('summary.value.terminal') : t('summary.value.loggedTo', { file: fileName(device.log) }), none: t('summary.value.nowhere'), file: t('summary.value.toFile', { detail: fileName(device.detail) }), tcp: t('summary.value.toTcp', { detail: device.detail }) }
      return { icon: 'serial', name: t('summary.device.serial', { n: device.index + 1 }), value: values[device.to], page: `serial-port-${device.index}` }
    }
    case 'display':
      return { icon: 'display', name: t('summary.device.display'), value: bytesText(device.videoMemoryMiB * MIB), page: 'display' }
  }
}
