/** A guest that makes code at run time: LuaJIT compiles, patches and throws away machine code while the translator translates it. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { copyOf, debianDisk, LOGIN } from './images/debian-disk'
import { missing } from './images/files'
import { runGuest, withScratch } from './run-guest'

const BYTES = 300_000
const STEPS = 2_000_000
const NUMBERS = 300_000
const KEYS = 20_000
/** Functions made from text: traces come and go. */
const FUNCTIONS = 400

const SCRIPT = `local bit = require 'bit'
local function crc(n)
  local c = bit.bnot(0)
  for i = 1, n do
    c = bit.bxor(c, i % 256)
    for _ = 1, 8 do
      local low = bit.band(c, 1)
      c = bit.rshift(c, 1)
      if low == 1 then c = bit.bxor(c, 0xedb88320) end
    end
  end
  return bit.tohex(bit.bnot(c))
end
local function logistic(n)
  local x = 0.5
  for _ = 1, n do x = 3.9 * x * (1 - x) end
  return string.format('%.0f', math.floor(x * 2 ^ 52))
end
local function primes(n)
  local no, count = {}, 0
  for i = 2, n do
    if not no[i] then
      count = count + 1
      for j = i * i, n, i do no[j] = true end
    end
  end
  return count
end
local function keys(n)
  local t, sum = {}, 0
  for i = 1, n do t['k' .. i * 7 % 1009] = (t['k' .. i * 7 % 1009] or 0) + i end
  for i = 0, 1008 do sum = (sum * 31 + (t['k' .. i] or 0)) % 1000003 end
  return sum
end
local function functions(n)
  local sum = 0
  for i = 1, n do
    local f = loadstring('local s = 0 for j = 1, 300 do s = (s + j * ' .. i .. ') % 65521 end return s')
    sum = (sum + f() * i) % 1000003
  end
  return sum
end
print('RESULT', crc(${BYTES}), logistic(${STEPS}), primes(${NUMBERS}), keys(${KEYS}), functions(${FUNCTIONS}))
print('COMPILER', (jit.status()))
`

/** The same, computed here. */
function expectedResult(): string {
  let c = 0xffffffff
  for (let i = 1; i <= BYTES; i++) {
    c ^= i % 256
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  }
  const crc = (~c >>> 0).toString(16).padStart(8, '0')
  let x = 0.5
  for (let i = 0; i < STEPS; i++) x = 3.9 * x * (1 - x)
  const composite = new Uint8Array(NUMBERS + 1)
  let primes = 0
  for (let i = 2; i <= NUMBERS; i++) {
    if (composite[i]) continue
    primes++
    for (let j = i * i; j <= NUMBERS; j += i) composite[j] = 1
  }
  const table = new Array<number>(1009).fill(0)
  for (let i = 1; i <= KEYS; i++) table[(i * 7) % 1009]! += i
  const keys = table.reduce((sum, value) => (sum * 31 + value) % 1_000_003, 0)
  let functions = 0
  for (let i = 1; i <= FUNCTIONS; i++) {
    let s = 0
    for (let j = 1; j <= 300; j++) s = (s + j * i) % 65521
    functions = (functions + s * i) % 1_000_003
  }
  return [crc, Math.floor(x * 2 ** 52), primes, keys, functions].join('\\s+')
}

describe('a just-in-time compiler in the guest', () => {
  const why = missing('/usr/bin/mmdebstrap', '/usr/lib/grub/i386-pc/boot.img', '/usr/sbin/mke2fs')
  it.skipIf(why !== undefined)(`LuaJIT computes what it should, compiled and interpreted${why ? ` (${why})` : ''}`, async () => {
    await withScratch(async (folder) => {
      const disk = copyOf(debianDisk(), join(folder, 'disk.raw'))
      const lines = SCRIPT.trimEnd().split('\n')
      const result = `RESULT\\s+${expectedResult()}`
      const run = await runGuest({
        name: 'jit',
        args: ['--memory', '512', '--disk', disk],
        script: [
          ...LOGIN,
          "send cat > jit.lua <<'END'\\n",
          ...lines.map((line) => `send ${line}\\n`),
          'send END\\n',
          'expect root@vitrine:~#',
          'send luajit jit.lua\\n',
          `expect ${result}`,
          'expect COMPILER\\s+true',
          'expect root@vitrine:~#',
          'send luajit -joff jit.lua\\n',
          `expect ${result}`,
          'expect COMPILER\\s+false',
          'expect root@vitrine:~#',
          'power-button',
          'expect reboot: Power down',
        ],
        timeoutSeconds: 850,
      })
      expect(run.errors).toBe('')
      expect(run.status).toBe(0)
    })
  })
})
