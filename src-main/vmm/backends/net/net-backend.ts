/** What a network adapter is plugged into. Frames are Ethernet frames from the destination address on, without the frame check sequence. */

/** Work that the sender left to whoever hands the frame on (VIRTIO 1.2, 5.1.6: struct virtio_net_hdr). */
export interface FrameOffload {
  /** The checksum field at `start + offset` holds the pseudo-header's sum; that of everything from `start` on is to be added. */
  readonly checksum?: { readonly start: number; readonly offset: number }
  /** The frame is one TCP or UDP segment longer than the link carries, to be cut into pieces of `segmentBytes` of payload. */
  readonly segmentation?: { readonly kind: 'tcp4' | 'tcp6' | 'udp'; readonly headerBytes: number; readonly segmentBytes: number; readonly ecn: boolean }
}

export interface NetBackend {
  /** What it takes undone: an adapter that offers more to its guest does the rest itself. */
  readonly takes: { readonly checksum: boolean; readonly segmentation: boolean }
  /**
   * A frame from the guest; the bytes are the adapter's again after the call. False: no room now, the adapter keeps the frame and offers it again
   * when `onWritable` is called.
   */
  send(frame: Uint8Array, offload: FrameOffload | undefined): boolean
  /** Set by the adapter. A frame for the guest, on the machine's thread between two slices. False: the adapter had no room, the frame is lost. */
  onReceive: ((frame: Uint8Array, offload: FrameOffload | undefined) => boolean) | undefined
  /** Set by the adapter. */
  onWritable: (() => void) | undefined
  /** The cable: set by whoever owns the network, heard by the adapter. */
  readonly linkUp: boolean
  onLinkChanged: (() => void) | undefined
  close(): Promise<void>
}

/** Longest frame with segmentation offload: an IP packet of 65535 bytes behind an Ethernet header with a VLAN tag. */
export const MAX_FRAME_BYTES: number = 65535 + 18
/** Ethernet header and 1500 bytes, with a VLAN tag. */
export const MAX_PLAIN_FRAME_BYTES = 1518
