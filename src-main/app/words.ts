/** The few words that the system shows and no page can: dialogs, tray, notifications. The window's own are in its catalogues. */
import { app } from 'electron'
import type { FilePurpose, Preferences } from '../ipc/contract'

const en = {
  choose: {
    iso: 'Choose an ISO Image', disk: 'Choose a Virtual Disk', kernel: 'Choose a Kernel', initrd: 'Choose an Initial RAM Disk', firmware: 'Choose a Firmware Image', 'vga-bios': 'Choose a VGA Option ROM',
    vm: 'Open a Virtual Machine', folder: 'Choose a Folder', 'serial-log': 'Write Serial Output To', screenshot: 'Save Screenshot',
  } satisfies Record<FilePurpose, string>,
  isoImages: 'ISO images', diskImages: 'Disk images', firmwareImages: 'Firmware images', virtualMachines: 'Virtual machines', pngImages: 'PNG images', logs: 'Logs', allFiles: 'All files',
  trayTitle: (count: number): string => (count === 1 ? 'Vitrine: one virtual machine is running' : `Vitrine: ${count} virtual machines are running`),
  show: 'Show Vitrine', quit: 'Quit Vitrine…',
  poweredOff: 'The virtual machine is powered off.', suspended: 'The virtual machine is suspended.', crashed: 'The guest has crashed.', failed: 'The virtual machine has failed.',
}
export type Words = typeof en

const zhCN: Words = {
  choose: {
    iso: '选择 ISO 映像', disk: '选择虚拟磁盘', kernel: '选择内核', initrd: '选择初始内存盘', firmware: '选择固件映像', 'vga-bios': '选择 VGA 选项 ROM',
    vm: '打开虚拟机', folder: '选择文件夹', 'serial-log': '将串行输出写入', screenshot: '保存屏幕截图',
  },
  isoImages: 'ISO 映像', diskImages: '磁盘映像', firmwareImages: '固件映像', virtualMachines: '虚拟机', pngImages: 'PNG 图像', logs: '日志', allFiles: '所有文件',
  trayTitle: (count) => `Vitrine：${count} 台虚拟机正在运行`,
  show: '显示 Vitrine', quit: '退出 Vitrine…',
  poweredOff: '虚拟机已关机。', suspended: '虚拟机已挂起。', crashed: '客户机已崩溃。', failed: '虚拟机发生故障。',
}

export function wordsFor(language: Preferences['language']): Words {
  const wanted = language === 'system' ? app.getLocale() : language
  return wanted.toLowerCase().startsWith('zh') ? zhCN : en
}
