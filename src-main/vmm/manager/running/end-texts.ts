/** Ends of a run in words, for the VM's log and for the command line. */
import type { MachineEnd } from '../../machine/config'
import type { RunEnd } from './vm-events'

/** What the guest did to itself. */
export function crashText(end: MachineEnd): string {
  switch (end.kind) {
    case 'triple-fault':
      return 'the guest\'s processor shut down (triple fault)'
    case 'unimplemented':
      return `the guest met something that Vitrine does not have: ${end.what}`
    case 'power-off':
    case 'debug-exit':
    case 'stopped':
    case 'stop-at':
      return 'the guest ended'
  }
}

export function endText(end: RunEnd, asked: boolean): string {
  switch (end.type) {
    case 'suspended':
      return 'suspended'
    case 'failed':
      return end.message.split('\n', 1)[0] ?? ''
    case 'powered-off':
      if (end.end.kind === 'triple-fault' || end.end.kind === 'unimplemented') return crashText(end.end)
      return asked ? 'powered off' : 'the guest switched off'
  }
}
