/** Every text of the window is in the catalogues, in both languages, with the same placeholders; and neither a template nor a script has a text of its own. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, NodeTypes, type TemplateChildNode, type RootNode } from '@vue/compiler-dom'
import { parse as parseSfc } from '@vue/compiler-sfc'
import ts from 'typescript'
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

/** What these hold is called the same in every language: keys by what is printed on them, guests by their products' names (which vm.json keeps). */
const NAMES_ONLY = ['features/console/key-names.ts', 'features/settings/guests.ts']
/** Properties whose values people read. */
const READ = new Set(['text', 'label', 'title', 'hint', 'placeholder', 'description', 'message', 'remedy', 'name'])
const WORDS = /\p{L}{2}.*\s.*\p{L}{2}/u
/** What stands in strings with spaces and is not said: selectors, fonts. */
const NOT_SAID = /[.:[(][a-z-]+|\bmonospace\b|\d+px\b/

describe('scripts', () => {
  it('have no text of their own', () => {
    const own: string[] = []
    for (const name of files(/\.(vue|ts)$/)) {
      if (name.startsWith(join('i18n', 'locales')) || name.includes('.fixture.') || NAMES_ONLY.includes(name.replaceAll('\\', '/'))) continue
      const text = readFileSync(join(SOURCES, name), 'utf8')
      const script = name.endsWith('.vue') ? (parseSfc(text).descriptor.scriptSetup?.content ?? '') : text
      visitScript(ts.createSourceFile(name, script, ts.ScriptTarget.Latest, true), (said) => own.push(`${name}: ${said}`))
    }
    expect(own).toEqual([])
  })

  it.each([
    ["show({ level: 'info', text: 'Done' })", ['Done']],
    ['const hint = open ? `There are ${n} of them` : t(\'some.key\')', ['There are ', ' of them']],
    ["throw new Error('for who reads the log')", []],
    ["type Text = 'a text'\nimport { x } from 'some where'\nquery('.body button')", []],
  ])('are searched well: %s', (script, wanted) => {
    const own: string[] = []
    visitScript(ts.createSourceFile('x.ts', script, ts.ScriptTarget.Latest, true), (said) => own.push(said))
    expect(own).toEqual(wanted)
  })
})

/** Reports strings that are words, or the value of something that people read. What an error says is for the log. */
function visitScript(node: ts.Node, report: (text: string) => void): void {
  if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return
  if (ts.isNewExpression(node) && /Error$/.test(node.expression.getText())) return
  if (ts.isCallExpression(node) && node.expression.getText() === 'Symbol') return
  if (ts.isTemplateExpression(node)) {
    const parts = [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)]
    if (!NOT_SAID.test(parts.join('')) && WORDS.test(parts.join(' '))) parts.filter((part) => part !== '').forEach(report)
  } else if (ts.isStringLiteralLike(node)) {
    const { parent, text } = node
    const isRead = ts.isPropertyAssignment(parent) && parent.initializer === node && READ.has(parent.name.getText()) && /\p{L}/u.test(text)
    if (isRead || (WORDS.test(text) && !NOT_SAID.test(text))) report(text)
  }
  ts.forEachChild(node, (child) => visitScript(child, report))
}

/** Reports texts with letters in them. */
function visit(node: RootNode | TemplateChildNode, report: (text: string) => void): void {
  if (node.type === NodeTypes.TEXT && /\p{L}/u.test(node.content)) report(node.content.trim())
  if (node.type === NodeTypes.ELEMENT) {
    for (const property of node.props) if (property.type === NodeTypes.ATTRIBUTE && SPOKEN.has(property.name) && /\p{L}/u.test(property.value?.content ?? '')) report(`${property.name}="${property.value?.content ?? ''}"`)
  }
  if ('children' in node && Array.isArray(node.children)) for (const child of node.children) if (typeof child === 'object') visit(child as TemplateChildNode, report)
}
