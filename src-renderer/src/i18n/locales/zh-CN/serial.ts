export const serial = {
  ports: '{name} 的串行端口', port: '串行端口 {n}', terminal: '串行终端', input: '串行终端输入',
  openView: '串行终端', search: '在终端中查找', next: '查找下一个', previous: '查找上一个', notFound: '未找到',
  copy: '复制', paste: '粘贴', clear: '清除', breakSignal: '发送中断信号', log: '记录到文件…', stopLog: '停止记录', selectAll: '全选', more: '终端命令',
  takenOver: '此终端正显示在另一个窗口中。', takeBack: '在此处显示', logging: '正记录到 {file}',
  larger: '放大文本', smaller: '缩小文本',
}
