import { describe, expect, it } from 'vitest'
import { addWords, finishSum, get16, put16 } from '../../../backends/net/checksum'
import { MirrorNet } from '../../../backends/net/mirror-net'
import type { FrameOffload, NetBackend } from '../../../backends/net/net-backend'
import { segmentTcp } from '../../../backends/net/offload'
import { VirtioDriver } from '../../../testing/virtio-driver'
import { VirtioNet } from './net'
import { buildHeader } from './packet-header'
import * as net from './registers'

const MAC = '52:54:00:12:34:56'

class Wire implements NetBackend {
  takes = { checksum: false, segmentation: false }
  linkUp = true
  full = false
  onReceive: NetBackend['onReceive'] = undefined
  onWritable: (() => void) | undefined = undefined
  onLinkChanged: (() => void) | undefined = undefined
  readonly sent: { readonly frame: Uint8Array; readonly offload: FrameOffload | undefined }[] = []
  send(frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    if (this.full) return false
    this.sent.push({ frame: frame.slice(), offload })
    return true
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
}

function start(features?: bigint): { driver: VirtioDriver; wire: Wire; device: VirtioNet } {
  const wire = new Wire()
  const device = new VirtioNet(wire, { index: 0, mac: MAC })
  const driver = new VirtioDriver(device)
  expect(driver.start(features)).toBe(true)
  return { driver, wire, device }
}

const HEADERS = 14 + 20 + 20

/** Ethernet, IPv4, TCP with that much payload; the TCP checksum holds the pseudo-header's sum, as a guest leaves it. */
function tcpFrame(payload: number): Uint8Array {
  const frame = new Uint8Array(HEADERS + payload)
  frame.set([0x52, 0x54, 0, 1, 2, 3, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 8, 0])
  frame[14] = 0x45
  put16(frame, 16, 40 + payload)
  put16(frame, 18, 0x1234)
  frame[22] = 64
  frame[23] = 6
  frame.set([10, 0, 0, 1, 10, 0, 0, 2], 26)
  new DataView(frame.buffer).setUint32(38, 1000)
  frame[46] = 5 << 4
  frame[47] = 0x18 // PSH, ACK
  for (let i = 0; i < payload; i++) frame[HEADERS + i] = (i * 7) & 0xff
  put16(frame, 50, ~finishSum(addWords(6 + 20 + payload, frame, 26, 34)) & 0xffff)
  return frame
}

/** Sums to 0 when the TCP checksum is right. */
function tcpRemainder(frame: Uint8Array): number {
  return finishSum(addWords(addWords(6 + frame.length - 34, frame, 26, 34), frame, 34))
}

describe('virtio network device', () => {
  it('sends what it is given, and keeps it while the network has no room', () => {
    const { driver, wire } = start()
    const frame = tcpFrame(10)
    wire.full = true
    driver.offer(net.QUEUE_TRANSMIT, { out: [buildHeader(undefined, 0), frame.slice(0, 20), frame.slice(20)] })
    driver.notify(net.QUEUE_TRANSMIT)
    expect(driver.used(net.QUEUE_TRANSMIT)).toEqual([])
    wire.full = false
    wire.onWritable?.()
    expect(driver.used(net.QUEUE_TRANSMIT)).toHaveLength(1)
    expect(wire.sent).toEqual([{ frame, offload: undefined }])
  })

  it('fills in checksums for a network that does not', () => {
    const { driver, wire } = start()
    driver.offer(net.QUEUE_TRANSMIT, { out: [buildHeader({ checksum: { start: 34, offset: 16 } }, 0), tcpFrame(101)] })
    driver.notify(net.QUEUE_TRANSMIT)
    expect(wire.sent[0]?.offload).toBeUndefined()
    expect(tcpRemainder(wire.sent[0]?.frame ?? new Uint8Array(0))).toBe(0)
  })

  it('cuts long segments, with sequence numbers, lengths and checksums of each', () => {
    const { driver, wire } = start()
    const long = tcpFrame(3000)
    const offload: FrameOffload = { checksum: { start: 34, offset: 16 }, segmentation: { kind: 'tcp4', headerBytes: HEADERS, segmentBytes: 1460, ecn: false } }
    driver.offer(net.QUEUE_TRANSMIT, { out: [buildHeader(offload, 0), long] })
    driver.notify(net.QUEUE_TRANSMIT)
    const frames = wire.sent.map(({ frame }) => frame)
    expect(frames.map((frame) => frame.length - HEADERS)).toEqual([1460, 1460, 80])
    expect(frames.map((frame) => new DataView(frame.buffer).getUint32(38))).toEqual([1000, 2460, 3920])
    expect(frames.map((frame) => get16(frame, 18))).toEqual([0x1234, 0x1235, 0x1236])
    expect(frames.map((frame) => (frame[47] ?? 0) & 8)).toEqual([0, 0, 8])
    for (const frame of frames) {
      expect(tcpRemainder(frame)).toBe(0)
      expect(finishSum(addWords(0, frame, 14, 34))).toBe(0)
    }
    expect(Buffer.concat(frames.map((frame) => frame.subarray(HEADERS)))).toEqual(Buffer.from(long.subarray(HEADERS)))
  })

  it('leaves the work to a network that takes it', () => {
    const { driver, wire } = start()
    wire.takes = { checksum: true, segmentation: true }
    const offload: FrameOffload = { checksum: { start: 34, offset: 16 }, segmentation: { kind: 'tcp4', headerBytes: HEADERS, segmentBytes: 1460, ecn: true } }
    driver.offer(net.QUEUE_TRANSMIT, { out: [buildHeader(offload, 0), tcpFrame(3000)] })
    driver.notify(net.QUEUE_TRANSMIT)
    expect(wire.sent[0]?.offload).toEqual(offload)
  })

  it('spreads a frame over mergeable buffers', () => {
    const { driver, wire } = start()
    const rooms = Array.from({ length: 4 }, () => driver.offer(net.QUEUE_RECEIVE, { room: [64] }))
    const frame = tcpFrame(100)
    expect(wire.onReceive?.(frame, undefined)).toBe(true)
    const used = driver.used(net.QUEUE_RECEIVE)
    expect(used.map(({ written }) => written)).toEqual([64, 64, net.HEADER_BYTES + frame.length - 128])
    const bytes = Buffer.concat(rooms.slice(0, 3).map((room, i) => driver.read(room, used[i]?.written)))
    expect(bytes.readUInt16LE(10)).toBe(3)
    expect(bytes.subarray(net.HEADER_BYTES)).toEqual(Buffer.from(frame))
    expect(driver.interrupts).toEqual([net.QUEUE_RECEIVE])
  })

  it('loses what there is no room for, and counts it', () => {
    const { driver, wire, device } = start()
    driver.offer(net.QUEUE_RECEIVE, { room: [64] })
    expect(wire.onReceive?.(tcpFrame(100), undefined)).toBe(false)
    expect(device.figures).toMatchObject({ receivedFrames: 0, lostFrames: 1 })
    // The buffer is still there for a shorter one.
    expect(wire.onReceive?.(new Uint8Array(20), undefined)).toBe(true)
  })

  it('does for the guest what it did not offer to do', () => {
    const { driver, wire } = start(net.F_MRG_RXBUF)
    const room = driver.offer(net.QUEUE_RECEIVE, { room: [2048] })
    wire.onReceive?.(tcpFrame(51), { checksum: { start: 34, offset: 16 } })
    const [used] = driver.used(net.QUEUE_RECEIVE)
    const packet = driver.read(room, used?.written)
    expect(packet[0]).toBe(0)
    expect(tcpRemainder(packet.slice(net.HEADER_BYTES))).toBe(0)
  })

  it('filters by address once the guest says so', () => {
    const { driver, wire } = start()
    const command = (...bytes: number[]): number | undefined => {
      const placed = driver.offer(net.QUEUE_CONTROL, { out: [Uint8Array.from(bytes)], room: [1] })
      driver.notify(net.QUEUE_CONTROL)
      return driver.read(placed)[0]
    }
    const arrives = (...to: number[]): boolean => {
      driver.offer(net.QUEUE_RECEIVE, { room: [256] })
      const frame = new Uint8Array(60)
      frame.set(to)
      return wire.onReceive?.(frame, undefined) === true
    }
    expect(command(net.CTRL_RX, net.CTRL_RX_PROMISC, 0)).toBe(net.CTRL_OK)
    expect(arrives(0x52, 0x54, 0, 0x12, 0x34, 0x56)).toBe(true)
    expect(arrives(0x52, 0x54, 0, 0x12, 0x34, 0x57)).toBe(false)
    expect(arrives(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)).toBe(true)
    expect(arrives(1, 0, 0x5e, 0, 0, 1)).toBe(false)
    expect(command(net.CTRL_MAC, net.CTRL_MAC_TABLE_SET, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0x5e, 0, 0, 1)).toBe(net.CTRL_OK)
    expect(arrives(1, 0, 0x5e, 0, 0, 1)).toBe(true)
    expect(command(net.CTRL_MAC, net.CTRL_MAC_TABLE_SET, 0xff, 0xff, 0xff, 0xff)).toBe(net.CTRL_ERR)
    expect(command(77, 0, 0)).toBe(net.CTRL_ERR)
  })

  it('tells of the cable', () => {
    const { driver, wire } = start()
    expect(driver.core.configRead(net.CFG_STATUS, 2)).toBe(net.STATUS_LINK_UP)
    wire.linkUp = false
    wire.onLinkChanged?.()
    expect(driver.core.configRead(net.CFG_STATUS, 2)).toBe(0)
    expect(driver.interrupts).toEqual(['config'])
  })

  it('drops what is no frame, without a word from the wire', () => {
    const { driver, wire } = start()
    for (const out of [new Uint8Array(3), new Uint8Array(12), new Uint8Array(20), new Uint8Array(70_000)]) driver.offer(net.QUEUE_TRANSMIT, { out: [out] })
    const wrong: FrameOffload = { segmentation: { kind: 'tcp4', headerBytes: 0, segmentBytes: 0, ecn: false } }
    driver.offer(net.QUEUE_TRANSMIT, { out: [buildHeader(wrong, 0), new Uint8Array(100)] })
    driver.offer(net.QUEUE_TRANSMIT, { out: [buildHeader({ checksum: { start: 0xffff, offset: 0xffff } }, 0), new Uint8Array(100)] })
    driver.notify(net.QUEUE_TRANSMIT)
    expect(driver.used(net.QUEUE_TRANSMIT)).toHaveLength(6)
    expect(wire.sent).toEqual([])
    expect(driver.failed).toBe(false)
  })
})

describe('segmentation', () => {
  it('cuts IPv6 as well, and refuses what is no TCP', () => {
    const frame = new Uint8Array(14 + 40 + 20 + 500)
    put16(frame, 12, 0x86dd)
    frame[14] = 0x60
    frame[20] = 6
    frame[14 + 40 + 12] = 5 << 4
    const pieces = segmentTcp(frame, 200)
    expect(pieces.map((piece) => get16(piece, 18))).toEqual([220, 220, 120])
    for (const piece of pieces) expect(finishSum(addWords(addWords(6 + piece.length - 54, piece, 22, 54), piece, 54))).toBe(0)
    frame[20] = 17
    expect(segmentTcp(frame, 200)).toEqual([])
  })
})

describe('mirror network', () => {
  it('answers ARP and sends packets back with addresses exchanged', () => {
    const work: (() => void)[] = []
    const mirror = new MirrorNet((next) => work.push(next))
    const heard: Uint8Array[] = []
    mirror.onReceive = (frame) => heard.push(frame) > 0
    const arp = new Uint8Array(42)
    arp.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 9])
    mirror.send(arp, undefined)
    const packet = tcpFrame(4)
    mirror.send(packet, undefined)
    for (const next of work) next()
    expect([...(heard[0] ?? [])]).toEqual([2, 0, 0, 0, 0, 1, 0x52, 0x54, 0, 0x12, 0x35, 2, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 0x52, 0x54, 0, 0x12, 0x35, 2, 10, 0, 0, 9, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1])
    expect([...(heard[1] ?? new Uint8Array(0)).subarray(26, 34)]).toEqual([10, 0, 0, 2, 10, 0, 0, 1])
    // Exchanging addresses leaves a checksum as right as it was.
    expect(tcpRemainder(heard[1] ?? packet)).toBe(tcpRemainder(packet))
  })
})
