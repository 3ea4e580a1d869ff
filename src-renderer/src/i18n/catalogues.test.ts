/** Every text of the window is in the catalogues, in both languages, with the same placeholders; and no template has a text of its own. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, NodeTypes, type TemplateChildNode, type RootNode } from '@vue/compiler-dom'
import { parse as parseSfc } from '@vue/compiler-sfc'
import { describe, expect, it } from 'vitest'
import { en } from './locales/en'
import { zhCN } from './locales/zh-CN'

const SOURCES = join(import.meta.dirname, '..')
/** Attributes that people read or hear. */
const SPOKEN = new Set(['title', 'label', 'placeholder', 'alt', 'aria-label', 'aria-description', 'aria-roledescription', 'hint', 'description'])

/** Texts by their path. */
function leaves(node: unknown, path = ''): Map<string, string> {
  if (typeof node === 'string') return new Map([[path, node]])
  const found = new Map<string, string>()
  if (typeof node === 'object' && node !== null) for (const [key, child] of Object.entries(node)) for (const [at, text] of leaves(child, path === '' ? key : `${path}.${key}`)) found.set(at, text)
  return found
}

const placeholders = (text: string): readonly string[] => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''))].sort()

function files(ending: RegExp): readonly string[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => ending.test(name) && !name.includes('.test.'))
}

describe('the catalogues', () => {
  const english = leaves(en)
  const chinese = leaves(zhCN)

  it('have the same texts', () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort())
  })

  it('have the same placeholders', () => {
    for (const [key, text] of english) expect(placeholders(chinese.get(key) ?? ''), key).toEqual(placeholders(text))
  })

  it('have no empty text', () => {
    for (const [key, text] of [...english, ...chinese]) expect(text.trim(), key).not.toBe('')
  })

  it('have every key that is asked for by a constant', () => {
    const missing: string[] = []
    for (const name of files(/\.(vue|ts)$/)) {
      const text = readFileSync(join(SOURCES, name), 'utf8')
      for (const match of text.matchAll(/\b\$?t\('([a-zA-Z][\w-]*(?:\.[\w-]+)+)'/g)) {
        const key = match[1] ?? ''
        if (!english.has(key)) missing.push(`${name}: ${key}`)
      }
    }
    expect(missing).toEqual([])
  })
})

describe('templates', () => {
  it('have no text of their own', () => {
    const own: string[] = []
    for (const name of files(/\.vue$/)) {
      const template = parseSfc(readFileSync(join(SOURCES, name), 'utf8')).descriptor.template
      if (template) visit(parse(template.content), (text) => own.push(`${name}: ${text}`))
    }
    expect(own).toEqual([])
  })
})

/** Reports texts with letters in them. */
function visit(node: RootNode | TemplateChildNode, report: (text: string) => void): void {
  if (node.type === NodeTypes.TEXT && /\p{L}/u.test(node.content)) report(node.content.trim())
  if (node.type === NodeTypes.ELEMENT) {
    for (const property of node.props) if (property.type === NodeTypes.ATTRIBUTE && SPOKEN.has(property.name) && /\p{L}/u.test(property.value?.content ?? '')) report(`${property.name}="${property.value?.content ?? ''}"`)
  }
  if ('children' in node && Array.isArray(node.children)) for (const child of node.children) if (typeof child === 'object') visit(child as TemplateChildNode, report)
}
