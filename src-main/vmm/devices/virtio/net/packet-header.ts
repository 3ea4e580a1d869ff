/** struct virtio_net_hdr, and what it asks for. OASIS VIRTIO 1.2, 5.1.6. */
import type { FrameOffload } from '../../../backends/net/net-backend'
import * as net from './registers'

export function parseHeader(bytes: Uint8Array): FrameOffload | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, net.HEADER_BYTES)
  const flags = view.getUint8(0)
  const gso = view.getUint8(1)
  const checksum = (flags & net.HDR_F_NEEDS_CSUM) !== 0 ? { start: view.getUint16(6, true), offset: view.getUint16(8, true) } : undefined
  const kind = (gso & ~net.GSO_ECN) === net.GSO_TCPV4 ? 'tcp4' : (gso & ~net.GSO_ECN) === net.GSO_TCPV6 ? 'tcp6' : undefined
  if (!kind) return checksum && { checksum }
  const segmentation = { kind, headerBytes: view.getUint16(2, true), segmentBytes: view.getUint16(4, true), ecn: (gso & net.GSO_ECN) !== 0 } as const
  return checksum ? { checksum, segmentation } : { segmentation }
}

/** `buffers`: how many the packet takes, with mergeable ones. */
export function buildHeader(offload: FrameOffload | undefined, buffers: number): Uint8Array {
  const bytes = new Uint8Array(net.HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  if (offload?.checksum) {
    view.setUint8(0, net.HDR_F_NEEDS_CSUM)
    view.setUint16(6, offload.checksum.start, true)
    view.setUint16(8, offload.checksum.offset, true)
  }
  const segmentation = offload?.segmentation
  if (segmentation && segmentation.kind !== 'udp') {
    view.setUint8(1, (segmentation.kind === 'tcp4' ? net.GSO_TCPV4 : net.GSO_TCPV6) | (segmentation.ecn ? net.GSO_ECN : 0))
    view.setUint16(2, segmentation.headerBytes, true)
    view.setUint16(4, segmentation.segmentBytes, true)
  }
  view.setUint16(10, buffers, true)
  return bytes
}
