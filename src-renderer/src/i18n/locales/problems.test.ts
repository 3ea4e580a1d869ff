import { describe, expect, it } from 'vitest'
import { PROBLEM_TEXTS } from '../../../../src-main/vmm/manager/library/problem-texts'
import { EXPECTED } from '../../../../src-main/vmm/manager/library/vm-json/expected'
import { phrases as englishPhrases } from './en/phrases'
import { phrases as chinesePhrases } from './zh-CN/phrases'
import { problems as en } from './en/problems'
import { problems as zhCN } from './zh-CN/problems'

type Texts = Readonly<Record<string, { readonly message: string; readonly remedy: string }>>
const placeholders = (text: string): readonly string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').sort()
/** As the window says it: with a capital and a full stop. */
const sentence = (text: string): string => (/^\{\w+\}$/.test(text) ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`)

describe('problems in the window\'s languages', () => {
  it.each([['en', en], ['zh-CN', zhCN]] as [string, Texts][])('%s has every problem, with its placeholders', (_, texts) => {
    expect(Object.keys(texts).sort()).toEqual(Object.keys(PROBLEM_TEXTS).sort())
    for (const [id, { message, remedy }] of Object.entries(PROBLEM_TEXTS)) {
      expect(placeholders(texts[id]?.message ?? ''), id).toEqual(placeholders(message))
      expect(placeholders(texts[id]?.remedy ?? ''), id).toEqual(placeholders(remedy))
    }
  })

  it('says in English what the command line says', () => {
    const texts: Texts = en
    for (const [id, { message, remedy }] of Object.entries(PROBLEM_TEXTS)) expect(texts[id]).toEqual({ message: sentence(message), remedy: sentence(remedy) })
  })

  it('has the phrases that are expected of vm.json', () => {
    expect(englishPhrases).toMatchObject(EXPECTED)
    expect(Object.keys(chinesePhrases)).toEqual(Object.keys(englishPhrases))
  })
})
