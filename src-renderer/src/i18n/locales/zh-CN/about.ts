export const about = {
  title: '关于 Vitrine',
  text: '一款桌面虚拟机管理器，其虚拟机监视器为自主实现：将 x86 翻译为 WebAssembly，并且一切皆可查看。',
  version: '版本', runtime: '运行环境', electron: 'Electron {electron}、Chromium {chrome}、Node {node}、V8 {v8}', platform: '平台', licence: '许可证', mit: 'MIT',
  shortcuts: {
    groups: { machine: '虚拟机', input: '客户机的键盘、鼠标和屏幕', window: '窗口', library: '库', terminal: '串行终端' },
    release: '释放输入、退出全屏', passNext: '将下一个组合键发送到客户机', nextGrabbed: '带着输入切换到下一个虚拟机', library: '显示或隐藏库',
    menus: '按字母打开菜单', move: '上移或下移', selectAll: '选择所有虚拟机',
  },
}
