/** What a file is, asked of the main process, and said in the window's words. */
import { ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import type { MediaDescription, ProblemDto } from '../../../../src-main/ipc/contract'
import { answered, api } from '../../api/client'
import { systemText, type Translate, guestText } from '../settings/guests'

/** Such as "Debian GNU/Linux 12.5.0 (64-bit)"; undefined: nobody knows what is on it. */
export function systemOf({ system, version, bits }: MediaDescription): string | undefined {
  return system === undefined ? undefined : systemText(system, version, bits)
}

/** One line: what it was recognised as. */
export function mediaTitle(t: Translate, media: MediaDescription): string {
  const system = systemOf(media)
  if (media.kind === 'iso') return system === undefined ? t('media.unknownSystem') : t('media.detected', { system: guestText(t, system) })
  if (media.kind === 'linux-kernel') return t('media.kernel', { version: media.version ?? media.system ?? '', bits: media.bits ?? 32 })
  if (media.kind === 'firmware') return media.system === undefined ? t('media.kinds.firmware') : t('media.firmware', { system: [media.system, media.version].filter((part) => part !== undefined).join(' ') })
  if (media.kind === 'vm') return t('media.vm', { name: media.label ?? '' })
  return t(`media.kinds.${media.kind}`)
}

export interface MediaQuery {
  readonly media: ShallowRef<MediaDescription | undefined>
  readonly problem: ShallowRef<ProblemDto | undefined>
  readonly asking: Ref<boolean>
}

/** Describes the file of `path` whenever that changes; answers that come late do not count. */
export function useMedia(path: () => string | undefined): MediaQuery {
  const media = shallowRef<MediaDescription>()
  const problem = shallowRef<ProblemDto>()
  const asking = ref(false)
  watch(
    path,
    async (now) => {
      media.value = undefined
      problem.value = undefined
      asking.value = now !== undefined && now !== ''
      if (now === undefined || now === '') return
      const outcome = await answered(api.requests['files.describe']({ path: now })).catch(() => undefined)
      if (path() !== now) return
      asking.value = false
      if (outcome?.ok) media.value = outcome.value
      else problem.value = outcome?.problem
    },
    { immediate: true },
  )
  return { media, problem, asking }
}
