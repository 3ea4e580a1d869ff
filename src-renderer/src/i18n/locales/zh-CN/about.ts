export const about = {
  title: '关于 Vitrine',
  text: '一款桌面虚拟机管理器，其虚拟机监视器为自主实现：将 x86 翻译为 WebAssembly，并且一切皆可查看。',
  version: '版本', runtime: '运行环境', electron: 'Electron {electron}、Chromium {chrome}、Node {node}、V8 {v8}', platform: '平台', licence: '许可证', mit: 'MIT',
}
