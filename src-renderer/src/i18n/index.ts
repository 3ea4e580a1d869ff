/** The window's languages. Catalogues are plain objects by area, in i18n/locales; every text of the window is in them (catalogues.test.ts). */
import { createI18n, type I18n } from 'vue-i18n'
import { en } from './locales/en'
import { zhCN } from './locales/zh-CN'

export const LOCALES = ['en', 'zh-CN'] as const
export type Locale = (typeof LOCALES)[number]
export type Catalogue = typeof en

/** The one of our languages that a BCP 47 tag asks for. */
export function localeFor(tag: string): Locale {
  return tag.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en'
}

export const i18n: I18n<{ en: Catalogue; 'zh-CN': Catalogue }, Record<string, never>, Record<string, never>, Locale, false> = createI18n({
  legacy: false,
  locale: 'en' as Locale,
  fallbackLocale: 'en',
  messages: { en, 'zh-CN': zhCN },
}) as never

export function setLocale(locale: Locale): void {
  i18n.global.locale.value = locale
  document.documentElement.lang = locale
}
