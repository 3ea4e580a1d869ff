export const console = {
  screen: '{name} 的屏幕', screenSize: '{name} 的屏幕，{width} × {height}',
  grab: '抓取输入', ctrlAltDelete: '发送 Ctrl+Alt+Del', keys: '发送按键', functionKeys: '{chord}+F1 至 F{last}', sysRq: 'SysRq 魔术键',
  fitWindow: '立即适应窗口', autofitWindow: '自动适应窗口',
  paste: '以键入方式粘贴', nothingToPaste: '剪贴板上没有文本。', skipped: '已略去 {n} 个字符：客户机的键盘布局中没有这些字符。',
  selectText: '选择屏幕上的文本', textLayer: '屏幕上的文本', noText: '屏幕处于图形模式：没有可选择的文本。', copied: '已复制。',
  capture: '捕获屏幕…', captureCopy: '复制屏幕',
  takenOver: '此虚拟机的屏幕正显示在另一个窗口中。', takeBack: '在此处显示',
  fullScreenBar: '全屏', pin: '固定此栏', leaveFullScreen: '退出全屏',
  customKeys: '发送组合键', customKeysMenu: '自定义…', modifiers: '按住的键', key: '按键', noKey: '无', send: '发送',
}
