export const serial = {
  ports: 'Serial ports of {name}', port: 'Serial Port {n}', terminal: 'Serial terminal', input: 'Serial terminal input',
  openView: 'Serial Terminal', search: 'Find in the terminal', next: 'Find next', previous: 'Find previous', notFound: 'Not found',
  copy: 'Copy', paste: 'Paste', clear: 'Clear', breakSignal: 'Send Break', log: 'Log to File…', stopLog: 'Stop Logging', selectAll: 'Select All', more: 'Terminal commands',
  takenOver: 'This terminal is shown in another window.', takeBack: 'Show It Here', logging: 'Logged to {file}',
  larger: 'Larger Text', smaller: 'Smaller Text',
}
