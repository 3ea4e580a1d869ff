/** How long each function of a module is that encodeModule made. */
const HEADER_BYTES = 8
const SECTION_CODE = 10

/** Bytes of the function bodies, in the order of the functions that the module defines. */
export function functionSizes(wasm: Uint8Array): number[] {
  let at = HEADER_BYTES
  const uleb = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++] ?? 0
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
  }
  while (at < wasm.length) {
    const section = wasm[at++]
    const end = uleb() + at
    if (section === SECTION_CODE) {
      return Array.from({ length: uleb() }, () => {
        const bytes = uleb()
        at += bytes
        return bytes
      })
    }
    at = end
  }
  return []
}
