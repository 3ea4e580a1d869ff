/** What happened: by the ids of the contract (ipc/contract/messages.ts). */
export const messages = {
  title: 'Message Log',
  empty: 'Nothing has happened yet.',
  dismiss: 'Dismiss',
  toasts: 'Notifications',
  level: { info: 'Information', warning: 'Warning', error: 'Error' },
  'powered-on': 'Powered on.', resumed: 'Resumed.', paused: 'Paused.', unpaused: 'Goes on.', reset: 'Reset.', suspended: 'Suspended.', 'powered-off': 'Powered off.',
  'guest-crashed': 'The guest\'s processor shut down (triple fault).',
  'guest-met-unknown': 'The guest met something that Vitrine does not have: {what}',
  failed: 'Stopped by an error of Vitrine.',
  'guest-ignores-power-button': 'The guest has not switched itself off yet. It may not listen to the power button; power it off if need be.',
  'cannot-power-on': 'Cannot be powered on.', 'cannot-suspend': 'Cannot be suspended.', problem: 'A problem:',
  created: 'Created.', opened: 'Added to the library.', removed: 'Removed from the library.', deleted: 'Deleted from disk; files that stayed: {kept}.',
  'screenshot-saved': 'Screenshot saved as {file}.', 'screenshot-copied': 'Screenshot copied.', 'serial-log-started': 'Serial output is logged to {file}.', 'serial-log-ended': 'Serial output is not logged to {file} any more.',
  'cd-inserted': 'Disc in drive {drive}: {file}', 'cd-ejected': 'Drive {drive} is empty.',
}
