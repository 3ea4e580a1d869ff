import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isLz4, Lz4Error, unpackLz4 } from './lz4'
import { LzmaError } from './lzma-decoder'
import { isXz, unpackXz } from './xz'

/** Made by xz 5.4 (LZMA2; then the filter for x86 and LZMA2, of 400 calls) and by lz4 1.9 (-l). */
const TEXT = 'The quick brown fox. '.repeat(30)
const XZ_TEXT = '/Td6WFoAAAFpIt42AgAhAQgAAADYDyMT4AJ1ACBdACoaCKIDJWbxS3jFogX/LubZ0iAarwLus7jUE77W4kAAAD4yQZ4AATj2BAAAALdjamM+MA2LAgAAAAABWVo='
const LZ4_TEXT = 'AiFMGCIAAAD/BlRoZSBxdWljayBicm93biBmb3guIBUA//9LUGZveC4g'
const XZ_CODE =
  '/Td6WFoAAAFpIt42AgEEACEBCADSuXTL4A4PA2NdAHQ+/RcLn1iQsfrnxw4kBr/PVFAKXZTWw0DjIJw/MJZ8OgsC08perIVtw9KtwMp18MlnH5b0ORjLgmwcetLsWbs9nhLYnlnAXtk8ljGcx7oz0m' +
  'H0ZYBrNVrcYwWu45Otf7HMWRZg6SMSqh1S9TJfI10yc4YXNLizIoBjok+OX1nTUdhva9Qx08YuT7dqOqUy4eGPla7N8tHJJtRTHaxyn6wDlhc0CuMrobli3qNg1yfzhVEbhepD4xM0iTviZjOfJ0UO' +
  'Q1g2q/nu9X0Ri/CQFSude4m2EtAs7EIOFDMTWB2rymxzhfFg0YfBHhDQhAyXIAtT75AqdSZW+k91VFSrVaiGHQUDRJAKd0xL7u+pVmbfUgGfhrMbKAPwVYJCv7IF7wfOao1YaQs818wZXOC55fczv6' +
  'RWjMd8HG/vwRJG+/vZbTqmhSFGQOtx26Ylb+03GJ1vB9Cv1uh4+P+siwPDnZXqDMPdszWS1COZs7irCXrnFvElZVzm/5XVKMJ82yjlubj3czZrKJhDMtRg1fa269Y4lAcCBb7315IzOQxIth934AzK' +
  'tsG18xdJArpkR5As9dHI+6jGUjER7O2QPc43dN9OVYZlekNLv6FFyl0mtzbrt4M0fVq7T/G1iqzgDvVsUUqnS7pXxTkBrULROtWebhECSKTWDF8Qz1JtFNLQyTleQVfKVUV+XFqfjdxdtKt3fr7lqg' +
  'x7ebUpM++g2KEiJHttSddBs2JcSkT6sgNXpBhfX9O2UeHXYKyJg/cPvOYXhJoAuVGObSAv7VakBCvLqAZ/usLGQrlVHzPxPr+FmfLUzjw4rnwh/OAAy/Fr+WABIeTidHIv0IJOcBnRdixUZdgxgcyp' +
  'HoQMy2xycTCkV5zazQgAfjk+4RqKmFOSOwDFrxgaVvMGD7K3wyswWJN7DxahAD1fgAsCaSxomqP2OW2pBFUe5Rr3Q4Q901WcE/jRuzz/u8ZJW5P2eeYuMyMRJs6EpG5TE1MBR5CRTefFb2cpKdNWO3' +
  'NeOKfxa5b0WuDVHVzstEabC3tVficyI3NZ8jX+sEk2qMPH4deZlMn8fgMggsi+iIG8ZRHbOYJWGWenNQfmUlI99HaqmAonoagrp8+dWTgb+faSCkOl+R/46fwhGxrUYaSzF8Ia+V2P4+OF/9l8AAAA' +
  'gW6tOQAB+waQHAAAF3M8mz4wDYsCAAAAAAFZWg=='
const CODE_BYTES = 3600
const CODE_SHA256 = '2c07a99d18046ed45604b224fedf9e2d88ca1d3f2caa71b0f532e44f8b820e72'

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

describe('unpacking of packed kernels', () => {
  it('unpacks what xz and lz4 packed', () => {
    expect(isXz(bytesOf(XZ_TEXT))).toBe(true)
    expect(Buffer.from(unpackXz(bytesOf(XZ_TEXT), TEXT.length)).toString()).toBe(TEXT)
    expect(createHash('sha256').update(unpackXz(bytesOf(XZ_CODE), CODE_BYTES)).digest('hex')).toBe(CODE_SHA256)
    expect(isLz4(bytesOf(LZ4_TEXT))).toBe(true)
    expect(Buffer.from(unpackLz4(bytesOf(LZ4_TEXT), TEXT.length)).toString()).toBe(TEXT)
  })

  it('stops at any damage with an error of its own', () => {
    for (const [packed, size, unpack] of [[bytesOf(XZ_TEXT), TEXT.length, unpackXz], [bytesOf(XZ_CODE), CODE_BYTES, unpackXz], [bytesOf(LZ4_TEXT), TEXT.length, unpackLz4]] as const) {
      for (let at = 6; at < packed.length; at++) {
        const damaged = packed.slice()
        damaged[at] = (damaged[at] ?? 0) ^ 0x55
        for (const bytes of [damaged, packed.subarray(0, at)]) {
          try {
            expect(unpack(bytes, size).length).toBe(size)
          } catch (error) {
            expect(error instanceof LzmaError || error instanceof Lz4Error).toBe(true)
          }
        }
      }
    }
  })
})
