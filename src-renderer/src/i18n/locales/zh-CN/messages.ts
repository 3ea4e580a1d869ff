/** What happened: by the ids of the contract (ipc/contract/messages.ts). */
export const messages = {
  title: '消息日志',
  empty: '尚无消息。',
  dismiss: '关闭',
  toasts: '通知',
  level: { info: '信息', warning: '警告', error: '错误' },
  'powered-on': '已开机。', resumed: '已继续运行。', paused: '已暂停。', unpaused: '已取消暂停。', reset: '已重置。', suspended: '已挂起。', 'powered-off': '已关机。',
  'guest-crashed': '客户机的处理器已停止（三重故障）。',
  'guest-met-unknown': '客户机使用了 Vitrine 尚不具备的功能：{what}',
  failed: '因 Vitrine 的错误而停止。',
  'guest-ignores-power-button': '客户机尚未自行关机。它可能不响应电源按钮；必要时请强制关机。',
  'cannot-power-on': '无法开机。', 'cannot-suspend': '无法挂起。', problem: '出现问题：',
  created: '已创建。', opened: '已添加到库中。', removed: '已从库中移除。', deleted: '已从磁盘中删除；保留的文件数：{kept}。',
  'screenshot-saved': '屏幕截图已保存为 {file}。', 'screenshot-copied': '屏幕截图已复制。', 'serial-log-started': '串行端口输出正记录到 {file}。', 'serial-log-ended': '串行端口输出不再记录到 {file}。',
  'cd-inserted': '驱动器 {drive} 中的光盘：{file}', 'cd-ejected': '驱动器 {drive} 中没有光盘。',
}
