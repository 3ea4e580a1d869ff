/** Power commands, states and questions. */
export const power = {
  commands: {
    powerOn: '开机', resume: '继续运行', powerOff: '关机', suspend: '挂起', reset: '重置', pause: '暂停', unpause: '取消暂停', toFirmware: '打开电源时进入固件',
    shutDownGuest: '关闭客户机', restartGuest: '重新启动客户机',
    powerOnThis: '开启此虚拟机', resumeThis: '继续运行此虚拟机', unpauseThis: '取消暂停此虚拟机', soft: '{command}（通知客户机）', hard: '{command}（立即）',
  },
  states: {
    'powered-off': '已关机', suspended: '已挂起', 'in-use': '正由 {program} 使用', elsewhere: '{state}（{program}）', starting: '正在开机…', resuming: '正在恢复…', running: '已开机', paused: '已暂停', suspending: '正在挂起…', suspendingShare: '正在挂起… {percent}%',
    'powering-off': '正在关机…', crashed: '因客户机崩溃而停止', failed: '出错',
  },
  closeTab: {
    title: '关闭 {name}',
    text: '此虚拟机已开机。您要如何处理它？',
    background: '在后台运行', suspend: '挂起', powerOff: '关机',
  },
  quit: {
    title: '退出 Vitrine',
    titleWindow: '关闭 Vitrine',
    text: '{n} 个虚拟机已开机。 | {n} 个虚拟机已开机。',
    label: '您要如何处理它们？',
    keep: '继续运行', keepHint: '虚拟机在没有窗口的情况下继续运行；可通过托盘图标重新打开窗口。',
    suspend: '挂起', suspendHint: '虚拟机的状态保存到磁盘，之后从原处继续运行。',
    shutDown: '关闭客户机', shutDownHint: '通知客户机关机；所有客户机关机后 Vitrine 退出。',
    powerOff: '关机', powerOffHint: '相当于拔掉电源：客户机中未保存的内容将丢失。',
  },
  confirm: {
    powerOffTitle: '关机', powerOffText: '要关闭 {names} 的电源吗？客户机中未保存的内容将丢失。',
    resetTitle: '重置', resetText: '要重置 {names} 吗？客户机中未保存的内容将丢失。',
    dontAsk: '不再询问',
  },
  lockedDisc: { title: '客户机正在使用光盘', force: '仍然取出' },
  ended: {
    crashedTitle: '客户机已崩溃',
    tripleFault: '客户机的处理器已停止（三重故障）：在处理一个异常时又发生了异常，且没有可用于处理它的程序。',
    unimplemented: '客户机使用了 Vitrine 尚不具备的功能：{what}',
    kept: '虚拟机已停在原处并保持原状：您可以在“性能”中查看其内部，然后关机或重置。',
    failedTitle: '此虚拟机因错误而停止',
    failedText: '仅此虚拟机受到影响。其磁盘保持客户机写入时的状态，日志已保留。',
    whatToDo: {
      bug: '请再次开机。如果反复出现，请在“设置 > 硬件 > 引擎和时钟”中将引擎改为解释器，并报告日志中的内容。',
      memory: '请关闭其他程序或虚拟机，或在“设置 > 硬件 > 内存”中减少其内存，然后再次开机。',
      installation: 'Vitrine 自身的文件缺失：请重新安装 Vitrine，然后将虚拟机开机。',
      file: '请检查上面所列的文件，或在“设置”中选择其他文件，然后再次开机。',
      state: '无法使用已挂起的状态。请通过“虚拟机 > 管理 > 放弃挂起状态”将其放弃（客户机中未保存的内容将丢失），然后开机。',
    },
    more: '查看发生了什么',
    code: '错误', logFile: '完整日志：{file}', dump: '处理器状态', log: '日志',
  },
  elsewhere: {
    title: '{name} 正在另一个进程中运行',
    canDo: '下方是其屏幕画面，最多滞后一秒。您可以在此暂停、挂起、重置和关闭该虚拟机，也可以发送按键，并照常使用其串行终端。要使用其屏幕、键盘和鼠标，请在此窗口中继续运行：虚拟机先在那里挂起，再在此处从原位置恢复。',
    silent: '该进程没有应答：它可能正在启动、属于其他用户，或在另一台计算机上运行。请在其运行处关机；该进程结束后即可在此处开机。',
    continueHere: '在此窗口中继续运行',
  },
  inUse: '另一个进程正在运行此虚拟机：{program}（{host} 上的进程 {pid}）。',
}
