import { describe, expect, it } from 'vitest'
import type { FrameOffload, NetBackend } from '../../../backends/net/net-backend'
import { TestDomain } from '../../../paravirt/xen/domain.fixture'
import { gpa } from '../../../support/branded'
import { XenNet } from './xen-net'

const SEND = 0x100000
const RECEIVE = 0x101000
const DATA = 0x110000
const HOME = 'device/vif/0'
const WRITE = 11
const READ = 2
const MORE = 4
const EXTRA = 8
const BLANK = 1

class TestNet implements NetBackend {
  takes = { checksum: true, segmentation: true }
  linkUp = true
  room = true
  readonly sent: { readonly frame: Uint8Array; readonly offload: FrameOffload | undefined }[] = []
  onReceive: NetBackend['onReceive'] = undefined
  onWritable: NetBackend['onWritable'] = undefined
  onLinkChanged: NetBackend['onLinkChanged'] = undefined

  send(frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    if (this.room) this.sent.push({ frame: frame.slice(), offload })
    return this.room
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
}

class Adapter {
  readonly net = new TestNet()
  readonly domain: TestDomain
  port = 0
  private sendProduced = 0
  private receiveProduced = 0

  constructor(takesAll = true) {
    this.net.takes = { checksum: takesAll, segmentation: takesAll }
    this.domain = new TestDomain([new XenNet({ index: 0, mac: '00:16:3e:00:00:01', backend: this.net })]).start()
    this.domain.callWith('event_channel_op', 6, [[2, 0x7ff0], [2, 0], [4, 0]])
    this.port = this.domain.u32(0x10004)
    this.domain.grant(8, SEND)
    this.domain.grant(9, RECEIVE)
    for (let i = 0; i < 4; i++) this.domain.grant(10 + i, DATA + i * 0x1000)
    const keys = { 'tx-ring-ref': 8, 'rx-ring-ref': 9, 'event-channel': this.port, 'request-rx-copy': 1, 'feature-sg': 1, 'feature-gso-tcpv4': 1, state: 4 }
    for (const [key, value] of Object.entries(keys)) this.domain.store(WRITE, `${HOME}/${key}\0${value}`)
  }

  backend(key: string): string {
    return this.domain.store(READ, `/local/domain/0/backend/vif/1/0/${key}\0`).find(([type]) => type === READ)?.[1] ?? ''
  }

  /** Puts slots into the send ring: [reference, offset, flags, id, size]; an extra is its bytes. */
  send(...slots: readonly (readonly [number, number, number, number, number] | Uint8Array)[]): void {
    const { memory } = this.domain.host
    for (const slot of slots) {
      const bytes = new Uint8Array(12)
      const view = new DataView(bytes.buffer)
      if (slot instanceof Uint8Array) bytes.set(slot)
      else {
        view.setUint32(0, slot[0], true)
        slot.slice(1).forEach((value, i) => view.setUint16(4 + i * 2, value, true))
      }
      memory.write(gpa(SEND + 64 + (this.sendProduced++ % 256) * 12), bytes)
    }
    memory.writeU32(gpa(SEND), this.sendProduced)
    this.domain.callWith('event_channel_op', 4, [[4, this.port]])
  }

  offerBuffers(count: number): void {
    const { memory } = this.domain.host
    for (let i = 0; i < count; i++) {
      const at = RECEIVE + 64 + (this.receiveProduced++ % 256) * 8
      memory.writeU32(gpa(at), i)
      memory.writeU32(gpa(at + 4), 10 + i)
    }
    memory.writeU32(gpa(RECEIVE), this.receiveProduced)
  }
}

/** An Ethernet frame with IPv4 and UDP, its checksum left out. */
function udpFrame(payload: number): Uint8Array {
  const frame = new Uint8Array(14 + 20 + 8 + payload)
  frame.set([8, 0, 0x45], 12)
  frame[23] = 17
  return frame
}

describe('paravirtual network adapter of a Xen guest', () => {
  it('connects, and sends frames of one and of several pieces', () => {
    const adapter = new Adapter()
    expect([adapter.backend('state'), adapter.backend('mac')]).toEqual(['4', '00:16:3e:00:00:01'])
    adapter.domain.host.memory.fill(gpa(DATA + 100), 60, 1)
    adapter.domain.host.memory.fill(gpa(DATA + 0x1000), 40, 2)
    adapter.send([10, 100, 0, 5, 60], [10, 100, MORE, 6, 100], [11, 0, 0, 7, 40])
    expect(adapter.net.sent.map(({ frame }) => [frame.length, frame[0], frame[frame.length - 1]])).toEqual([[60, 1, 1], [100, 1, 2]])
    expect(adapter.domain.u32(SEND + 8)).toBe(3)
    expect(adapter.domain.u32(SEND + 64 + 24)).toBe(7)
  })

  it('passes checksums and segmentation on, or does the checksum itself', () => {
    const whole = new Adapter()
    const frame = udpFrame(10)
    whole.domain.host.memory.write(gpa(DATA), frame)
    whole.send([10, 0, BLANK, 1, frame.length])
    expect(whole.net.sent[0]?.offload).toEqual({ checksum: { start: 34, offset: 6 } })
    const tcp = new Uint8Array(200)
    tcp.set([8, 0, 0x45], 12)
    tcp[23] = 6
    tcp[46] = 0x50
    whole.domain.host.memory.write(gpa(DATA), tcp)
    whole.send([10, 0, BLANK | EXTRA, 2, 200], Uint8Array.of(1, 0, 100, 0, 1, 0))
    expect(whole.net.sent[1]?.offload).toEqual({ checksum: { start: 34, offset: 16 }, segmentation: { kind: 'tcp4', headerBytes: 54, segmentBytes: 100, ecn: false } })

    const plain = new Adapter(false)
    plain.domain.host.memory.write(gpa(DATA), frame)
    plain.send([10, 0, BLANK, 1, frame.length])
    const [sent] = plain.net.sent
    expect(sent?.offload).toBeUndefined()
    expect([sent?.frame[40], sent?.frame[41]]).not.toEqual([0, 0])
    expect(plain.backend('feature-gso-tcpv4')).toBe('0')
  })

  it('keeps a frame for which the network has no room', () => {
    const adapter = new Adapter()
    adapter.net.room = false
    adapter.send([10, 0, 0, 1, 60])
    expect(adapter.domain.u32(SEND + 8)).toBe(0)
    adapter.net.room = true
    adapter.net.onWritable?.()
    expect(adapter.net.sent.length).toBe(1)
    expect(adapter.domain.u32(SEND + 8)).toBe(1)
  })

  it('receives into granted pages, several for a long frame, and drops without buffers', () => {
    const adapter = new Adapter()
    expect(adapter.net.onReceive?.(new Uint8Array(60), undefined)).toBe(false)
    adapter.offerBuffers(4)
    expect(adapter.net.onReceive?.(new Uint8Array(5000).fill(7), { checksum: { start: 34, offset: 16 } })).toBe(true)
    const { memory } = adapter.domain.host
    expect([memory.readU16(gpa(RECEIVE + 64 + 4)), memory.readU16(gpa(RECEIVE + 64 + 6))]).toEqual([7, 4096])
    expect([memory.readU16(gpa(RECEIVE + 72 + 4)), memory.readU16(gpa(RECEIVE + 72 + 6))]).toEqual([0, 904])
    expect(memory.readU8(gpa(DATA + 0x1000 + 903))).toBe(7)
    const segmentation = { kind: 'tcp4', headerBytes: 54, segmentBytes: 1460, ecn: false } as const
    expect(adapter.net.onReceive?.(new Uint8Array(2000), { checksum: { start: 34, offset: 16 }, segmentation })).toBe(true)
    expect(adapter.domain.u32(RECEIVE + 8)).toBe(4)
    expect(memory.readU16(gpa(RECEIVE + 64 + 24 + 2))).toBe(1460)
  })

  it('is gone when a frame has too many pieces, none of its length, or an index out of range', () => {
    const pieces = new Adapter()
    pieces.send(...Array.from({ length: 20 }, (_, i) => [10, 0, MORE, i, 1000] as const))
    expect(pieces.backend('state')).toBe('5')
    const range = new Adapter()
    range.domain.host.memory.writeU32(gpa(SEND), 5000)
    range.domain.callWith('event_channel_op', 4, [[4, range.port]])
    expect(range.backend('state')).toBe('5')
    const errors = new Adapter()
    errors.send([10, 4000, 0, 1, 200], [99, 0, 0, 2, 60], [10, 0, MORE, 3, 10], [11, 0, 0, 4, 60])
    expect(errors.net.sent).toEqual([])
    expect(errors.domain.u32(SEND + 8)).toBe(4)
  })
})
