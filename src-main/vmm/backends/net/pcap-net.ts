/** A network that nobody is on: what the guest sends is written to a capture file. Format: pcap with nanoseconds (draft-ietf-opsawg-pcap). */
import { closeSync, openSync, writeSync } from 'node:fs'
import { fileError } from '../block/raw-file'
import type { FrameOffload, NetBackend } from './net-backend'

const MAGIC_NANOSECONDS = 0xa1b23c4d
const LINK_ETHERNET = 1
const SNAP_LENGTH = 262144
const HEADER_BYTES = 24
const RECORD_BYTES = 16
const NS = 1e9

export class PcapNet implements NetBackend {
  readonly takes = { checksum: false, segmentation: false }
  readonly linkUp = true
  onReceive: ((frame: Uint8Array, offload: FrameOffload | undefined) => boolean) | undefined = undefined
  onWritable: (() => void) | undefined = undefined
  onLinkChanged: (() => void) | undefined = undefined
  private failed = false

  private constructor(
    private readonly file: number,
    /** Nanoseconds of the machine's time. */
    private readonly now: () => number,
  ) {}

  static open(path: string, now: () => number): PcapNet {
    try {
      const file = openSync(path, 'w')
      const header = new DataView(new ArrayBuffer(HEADER_BYTES))
      header.setUint32(0, MAGIC_NANOSECONDS, true)
      header.setUint16(4, 2, true)
      header.setUint16(6, 4, true)
      header.setUint32(16, SNAP_LENGTH, true)
      header.setUint32(20, LINK_ETHERNET, true)
      writeSync(file, new Uint8Array(header.buffer))
      return new PcapNet(file, now)
    } catch (error) {
      throw fileError(error, '--nic pcap', path)
    }
  }

  send(frame: Uint8Array): boolean {
    if (this.failed) return true
    const now = this.now()
    const record = new DataView(new ArrayBuffer(RECORD_BYTES))
    record.setUint32(0, Math.floor(now / NS), true)
    record.setUint32(4, now % NS, true)
    record.setUint32(8, frame.length, true)
    record.setUint32(12, frame.length, true)
    try {
      writeSync(this.file, new Uint8Array(record.buffer))
      writeSync(this.file, frame)
    } catch {
      // A full disk: the guest's network goes on, the capture ends here.
      this.failed = true
    }
    return true
  }

  close(): Promise<void> {
    closeSync(this.file)
    return Promise.resolve()
  }
}

/** The cable is not plugged in. */
export class NoNet implements NetBackend {
  readonly takes = { checksum: true, segmentation: true }
  readonly linkUp = false
  onReceive: ((frame: Uint8Array, offload: FrameOffload | undefined) => boolean) | undefined = undefined
  onWritable: (() => void) | undefined = undefined
  onLinkChanged: (() => void) | undefined = undefined

  send(): boolean {
    return true
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
