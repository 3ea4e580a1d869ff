import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { BREAK } from './char-backend'
import { TcpCharBackend } from './tcp-char'

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(protocol: 'raw' | 'telnet'): Promise<TcpCharBackend> {
  const backend = await TcpCharBackend.listen(0, protocol, (work) => work())
  closers.unshift(() => backend.close())
  return backend
}

async function client(backend: TcpCharBackend): Promise<{ socket: Socket; heard: () => Buffer }> {
  const socket = connect(backend.port, '127.0.0.1')
  const parts: Buffer[] = []
  socket.on('data', (chunk) => parts.push(chunk))
  socket.on('error', () => undefined)
  closers.unshift(() => void socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  return { socket, heard: () => Buffer.concat(parts) }
}

const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 2))
}
const write = (backend: TcpCharBackend, text: string): void => {
  for (const byte of Buffer.from(text, 'latin1')) expect(backend.write(byte)).toBe(true)
}
const readAll = (backend: TcpCharBackend): Buffer => {
  const bytes: number[] = []
  for (let byte = backend.read(); byte !== undefined; byte = backend.read()) bytes.push(byte)
  return Buffer.from(bytes)
}

describe('a serial port on TCP', () => {
  it('passes bytes both ways, one client at a time', async () => {
    const backend = await serve('raw')
    write(backend, 'lost')
    const { socket, heard } = await client(backend)
    await until(() => {
      backend.write(0x2e)
      return heard().length > 0
    })
    write(backend, '\xffabc')
    await until(() => heard().toString('latin1').endsWith('\xffabc'))
    let told = 0
    backend.onReadable = () => void told++
    socket.write(Buffer.from([0, 255, 13, 10]))
    await until(() => told > 0)
    expect(readAll(backend)).toEqual(Buffer.from([0, 255, 13, 10]))
    const second = await client(backend)
    await until(() => second.heard().toString().includes('in use'))
    await until(() => second.socket.destroyed)
    socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 50))
    const third = await client(backend)
    third.socket.write('x')
    await until(() => backend.read() === 0x78)
  })

  it('speaks telnet', async () => {
    const backend = await serve('telnet')
    const { socket, heard } = await client(backend)
    await until(() => heard().length >= 12)
    socket.write(Buffer.from([255, 253, 1, 0x61, 255, 250, 24, 0, 255, 255, 1, 255, 240, 13, 0, 0x62, 255]))
    socket.write(Buffer.from([255, 13, 10, 0x63, 255, 241]))
    const got: number[] = []
    await until(() => {
      got.push(...readAll(backend))
      return got.includes(0x63)
    })
    expect(Buffer.from(got)).toEqual(Buffer.from([0x61, 13, 0x62, 255, 13, 0x63]))
    write(backend, 'a\xffb')
    await until(() => heard().subarray(12).equals(Buffer.from([0x61, 255, 255, 0x62])))
  })

  it('makes the guest wait for a client that does not read, and loses nothing', async () => {
    const backend = await serve('raw')
    const { socket, heard } = await client(backend)
    await until(() => {
      backend.write(0x2e)
      return heard().length > 0
    })
    socket.pause()
    let written = 0
    let writable = true
    backend.onWritable = () => void (writable = true)
    while (writable && written < 1 << 26) {
      for (let i = 0; i < 4096 && writable; i++) {
        writable = backend.write(written % 251)
        if (writable) written++
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(written).toBeLessThan(1 << 26)
    const start = heard().length
    socket.resume()
    await until(() => writable)
    while (backend.write(7) !== true) await new Promise((resolve) => setTimeout(resolve, 2))
    await until(() => heard().at(-1) === 7 && heard().length >= written)
    expect(heard().length - start).toBeGreaterThan(0)
    const bytes = heard().subarray(heard().length - 1 - written, -1)
    expect(bytes.every((byte, i) => byte === i % 251)).toBe(true)
  })

  it('has the break key of telnet, in its place among the bytes', async () => {
    const backend = await serve('telnet')
    const { socket } = await client(backend)
    const got: (number | undefined)[] = []
    socket.write(Buffer.from([0x61, 255, 243, 0x62]))
    await until(() => {
      for (let byte = backend.read(); byte !== undefined; byte = backend.read()) got.push(byte)
      return got.length === 3
    })
    expect(got).toEqual([0x61, BREAK, 0x62])
  })

  it('that another program has is said', async () => {
    const backend = await serve('raw')
    await expect(TcpCharBackend.listen(backend.port, 'raw', (work) => work())).rejects.toThrow(/another program uses that port/)
  })
})
