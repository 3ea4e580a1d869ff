export const home = {
  title: 'Vitrine',
  tagline: '可以看到内部的虚拟机',
  create: '创建新的虚拟机', createHint: '使用安装光盘、现有磁盘或内核',
  open: '打开虚拟机', openHint: '名称以 .vitrine 结尾的文件夹',
  demo: '启动演示客户机', demoHint: '自带的小型系统，两秒即可就绪',
  recent: '最近使用',
  noRecent: '您使用过的虚拟机将显示在此处。',
}
