/** The user's preferences, the same in every window; the theme and the language follow them. */
import { computed, ref, watchEffect } from 'vue'
import { defineStore } from 'pinia'
import { usePreferredDark } from '@vueuse/core'
import { Preferences, type AppDescription, type PreferencesPatch } from '../../../src-main/ipc/contract'
import { answered, api, valueOf } from '../api/client'
import { localeFor, setLocale, type Locale } from '../i18n'

export const usePreferencesStore = defineStore('preferences', () => {
  const preferences = ref<Preferences>(Preferences.parse({}))
  const about = ref<AppDescription>()
  const systemIsDark = usePreferredDark()

  const isDark = computed(() => (preferences.value.theme === 'system' ? systemIsDark.value : preferences.value.theme === 'dark'))
  const locale = computed<Locale>(() => (preferences.value.language === 'system' ? localeFor(about.value?.locale ?? 'en') : preferences.value.language))

  async function load(): Promise<void> {
    api.events['app.preferences-changed']((next) => (preferences.value = next))
    const [given, described] = await Promise.all([answered(api.requests['app.preferences']()), answered(api.requests['app.describe']())])
    preferences.value = given
    about.value = described
    watchEffect(() => {
      document.documentElement.dataset['theme'] = isDark.value ? 'dark' : 'light'
      setLocale(locale.value)
    })
  }

  /** Throws ProblemError. */
  async function change(patch: PreferencesPatch): Promise<void> {
    preferences.value = await valueOf(api.requests['app.set-preferences']({ patch }))
  }

  return { preferences, about, isDark, locale, load, change }
})
