/** What the kernel of the direct boot page is: its name and guest become the defaults of the pages after it. */
import { watch } from 'vue'
import type { HostDescription } from '../../../../src-main/ipc/contract'
import { useMedia } from './media'
import { recognise, type Answers } from './wizard-model'

export function useKernelMedia(answers: () => Answers, host: () => HostDescription): void {
  const { media } = useMedia(() => (answers().source === 'kernel' ? answers().draft.hardware.boot.kernel?.file : undefined))
  watch(media, (now) => {
    if (answers().source !== 'kernel') return
    if (now) recognise(answers(), now, host())
    else answers().media = undefined
  })
}
