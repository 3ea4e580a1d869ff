/** What vm.json's schema expects of a leaf, in words. Whoever shows a problem in another language says the phrase by its id. */

/** English, as after "expected". */
export const EXPECTED = {
  whole: 'a whole number from {low} to {high}',
  flag: 'true or false',
  value: '{words}',
  'one-of': 'one of {words}',
  line: 'one line of at most {most} characters',
  path: 'a path, absolute or relative to the folder of the virtual machine',
  list: 'a list [ ... ]',
  'short-list': 'a list of at most {most}',
  object: 'an object {braces}',
  vendor: '12 characters, such as GenuineIntel',
  brand: '1 to 47 characters of ASCII',
  feature: 'the name of a feature: {words}',
  uuid: 'a UUID in lower case, such as 0f8fad5b-d9cb-469f-a165-70867728950e',
  name: '1 to {most} characters on one line, without spaces at the ends',
  text: 'text of at most {most} characters',
  other: 'something else',
} as const
export type ExpectedId = keyof typeof EXPECTED

type Values = Readonly<Record<string, string | number>>

/** A schema's errors are texts: by these the phrases are found again. */
const phrases = new Map<string, { readonly id: ExpectedId; readonly values: Values }>()

export function expected(id: ExpectedId, values: Values = {}): string {
  const text = EXPECTED[id].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
  phrases.set(text, { id, values })
  return text
}

/** Of the text of a schema's error: the values with which a problem says it. */
export function expectedValues(text: string | undefined): { readonly expected: string } & Values {
  const phrase = text === undefined ? undefined : phrases.get(text)
  return { ...phrase?.values, expected: phrase && text !== undefined ? text : EXPECTED.other, expectedId: phrase?.id ?? 'other' }
}
