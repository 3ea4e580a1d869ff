/**
 * Paravirtual disk of a Xen guest: the back end of xen/include/public/io/blkif.h over a BlockBackend. Rings of up to 16 pages, indirect segments, flush.
 * Persistent grants are not offered: looking a grant up costs us less than the copy that they cost the guest.
 */
import type { BlockBackend } from '../../../backends/block/block-backend'
import type { CompletionGate } from '../../../backends/completion-gate'
import type { XenBackendHost } from '../../../paravirt/xen/backend'
import type { BackendChannel } from '../../../paravirt/xen/event-channels'
import { gpa } from '../../../support/branded'
import type { Timer } from '../../../time/clock'
import type { SavedState } from '../../device'
import { expectSchema } from '../../saved-state'
import { MAX_PAGES, SharedRing, type SharedRingState } from '../shared-ring'
import { XenbusBackend } from '../xenbus-backend'
import {
  encodeResponse, LAYOUTS, MAX_INDIRECT_SEGMENTS, parseRequest, parseSegments, SECTOR, STATUS_ERROR, STATUS_OK, STATUS_UNSUPPORTED,
  type BlockRequest, type BlockSegment, type RequestLayout,
} from './block-protocol'

const MAX_RING_ORDER = 4
/** Segments looked at before the guest goes on; the rest follows between two slices. */
const SEGMENTS_AT_ONCE = 1024
/** xvda, xvdb ... */
const XVD_MAJOR = 202
const PARTITIONS = 16
const EXTENDED = 1 << 28
const FIRST_EXTENDED = 16

export interface XenBlockState extends SavedState {
  readonly bus: number
  readonly protocol: string
  readonly ring: SharedRingState | null
  readonly port: number
}

interface Mapped {
  readonly address: number
  readonly bytes: number
}

export interface XenBlockOptions {
  /** Its place among the guest's disks: 0 is xvda. */
  readonly index: number
  readonly backend: BlockBackend
  readonly gate: CompletionGate
}

export class XenBlock extends XenbusBackend<XenBlockState> {
  private ring: SharedRing | undefined
  private channel: BackendChannel | undefined
  private protocol = ''
  private layout: RequestLayout | undefined
  /** Requests of before a reset answer nobody. */
  private generation = 0
  private resumeTimer: Timer | undefined
  private readonly counts = { requests: 0, indirect: 0, flushes: 0, errors: 0, sectorsRead: 0, sectorsWritten: 0 }

  constructor(private readonly options: XenBlockOptions) {
    super(`xen-block.${options.index}`, { kind: 'vbd', id: virtualDevice(options.index) })
  }

  override connect(host: XenBackendHost): void {
    super.connect(host)
    this.resumeTimer = host.time.createTimer(this.name, () => this.work())
  }

  protected describe(): ReturnType<XenbusBackend<XenBlockState>['describe']> {
    const { index, backend } = this.options
    return {
      frontend: { 'virtual-device': virtualDevice(index), 'device-type': 'disk' },
      backend: {
        dev: diskName(index), type: 'phy', mode: backend.readOnly ? 'r' : 'w', 'device-type': 'disk', bootable: index === 0 ? 1 : 0, removable: 0,
        'max-ring-page-order': MAX_RING_ORDER, 'feature-max-indirect-segments': MAX_INDIRECT_SEGMENTS, 'feature-flush-cache': backend.readOnly ? 0 : 1,
        'feature-barrier': 0, 'feature-persistent': 0, 'feature-discard': 0, 'multi-queue-max-queues': 1,
      },
    }
  }

  // ---- connecting ------------------------------------------------------------------------------------------------------------------

  protected attach(): boolean {
    const protocol = this.frontText('protocol') ?? 'x86_64-abi'
    const layout = LAYOUTS[protocol]
    const references = this.ringReferences()
    const port = this.frontNumber('event-channel')
    if (!layout || !references || port === undefined) return false
    const ring = SharedRing.map(this.host, references, layout.bytes)
    const channel = ring && this.host.events.bindBackend(port, () => this.work())
    if (!ring || !channel) {
      ring?.unmap()
      return false
    }
    Object.assign(this, { ring, channel, layout, protocol })
    const { backend } = this.options
    this.tell('sectors', Math.floor(backend.bytes / SECTOR))
    this.tell('info', backend.readOnly ? VDISK_READONLY : 0)
    this.tell('sector-size', SECTOR)
    this.tell('physical-sector-size', SECTOR)
    return true
  }

  private ringReferences(): readonly number[] | undefined {
    const order = this.frontNumber('ring-page-order')
    if (order === undefined) {
      const single = this.frontNumber('ring-ref')
      return single === undefined ? undefined : [single]
    }
    if (order > MAX_RING_ORDER) return undefined
    const references = Array.from({ length: Math.min(2 ** order, MAX_PAGES) }, (_, i) => this.frontNumber(`ring-ref${i}`))
    return references.every((reference) => reference !== undefined) ? references : undefined
  }

  protected detach(): void {
    this.generation++
    this.resumeTimer?.cancel()
    this.channel?.close()
    this.ring?.unmap()
    this.channel = undefined
    this.ring = undefined
  }

  // ---- requests --------------------------------------------------------------------------------------------------------------------

  private work(): void {
    const { ring, layout } = this
    if (!ring || !layout) return
    let budget = SEGMENTS_AT_ONCE
    const bytes = new Uint8Array(layout.bytes)
    do {
      for (;;) {
        const waiting = ring.waiting
        if (waiting === undefined) {
          this.fail('the ring\'s request producer is out of range')
          return
        }
        if (waiting === 0) break
        if (budget <= 0) {
          this.resumeTimer?.arm(this.host.time.now())
          this.publish()
          return
        }
        ring.take(bytes)
        budget -= this.begin(parseRequest(bytes, layout))
      }
    } while (!ring.rest())
    this.publish()
  }

  /** Returns how much work it was, in segments. */
  private begin(request: BlockRequest): number {
    this.counts.requests++
    switch (request.kind) {
      case 'transfer':
        this.transfer(request, request.write, request.sector, request.segments)
        return request.segments.length + 1
      case 'indirect': {
        this.counts.indirect++
        const segments = this.indirectSegments(request)
        if (segments) this.transfer(request, request.write, request.sector, segments)
        else this.respond(request, STATUS_ERROR)
        return request.count + 1
      }
      case 'flush':
        this.flush(request)
        return 1
      case 'discard':
        this.respond(request, STATUS_UNSUPPORTED)
        return 1
      case 'refused':
        this.respond(request, request.status)
        return 1
    }
  }

  /** Read once, into memory of ours. */
  private indirectSegments({ pages, count }: Extract<BlockRequest, { kind: 'indirect' }>): readonly BlockSegment[] | undefined {
    const [reference] = pages
    const page = reference === undefined ? undefined : this.host.grants.map(reference, false)
    if (page === undefined || reference === undefined) return undefined
    const bytes = new Uint8Array(count * 8)
    this.host.memory.read(gpa(page), bytes)
    this.host.grants.unmap(reference, false)
    return parseSegments(new DataView(bytes.buffer), 0, count, MAX_INDIRECT_SEGMENTS)
  }

  private transfer(request: BlockRequest, write: boolean, sector: number, segments: readonly BlockSegment[]): void {
    const { backend, gate } = this.options
    const sectors = segments.reduce((sum, segment) => sum + segment.count, 0)
    if ((write && backend.readOnly) || (sector + sectors) * SECTOR > backend.bytes) {
      this.respond(request, STATUS_ERROR)
      return
    }
    const { grants, memory } = this.host
    const mapped: Mapped[] = []
    const views: Uint8Array[] = []
    for (const [i, { reference, first, count }] of segments.entries()) {
      const page = grants.map(reference, !write)
      const piece = page === undefined ? undefined : { address: page + first * SECTOR, bytes: count * SECTOR }
      if (!piece) {
        for (const { reference: held } of segments.slice(0, i)) grants.unmap(held, !write)
        this.respond(request, STATUS_ERROR)
        return
      }
      mapped.push(piece)
      for (const view of memory.views(gpa(piece.address), piece.bytes) ?? []) append(views, view)
    }
    const { generation } = this
    gate.submit(`${this.name} ${write ? 'write' : 'read'}`, sectors * SECTOR, () => (write ? backend.write(sector * SECTOR, views) : backend.read(sector * SECTOR, views)), ({ ok }) => {
      if (!write) for (const { address, bytes } of mapped) memory.finishWrite(gpa(address), bytes)
      if (generation !== this.generation) return
      for (const { reference } of segments) grants.unmap(reference, !write)
      if (write) this.counts.sectorsWritten += sectors
      else this.counts.sectorsRead += sectors
      this.respond(request, ok ? STATUS_OK : STATUS_ERROR)
      this.publish()
    })
  }

  private flush(request: BlockRequest): void {
    const { backend, gate } = this.options
    this.counts.flushes++
    if (backend.readOnly) {
      this.respond(request, STATUS_UNSUPPORTED)
      return
    }
    const { generation } = this
    gate.submit(`${this.name} flush`, 0, () => backend.flush(), ({ ok }) => {
      if (generation !== this.generation) return
      this.respond(request, ok ? STATUS_OK : STATUS_ERROR)
      this.publish()
    })
  }

  private respond({ id, operation }: BlockRequest, status: number): void {
    if (status !== STATUS_OK) this.counts.errors++
    if (this.layout) this.ring?.put(encodeResponse(this.layout, id, operation, status))
  }

  private publish(): void {
    if (this.ring?.publish() === true) this.channel?.notify()
  }

  figures(): Readonly<Record<string, number>> {
    return { ...this.counts }
  }

  save(): XenBlockState {
    return { schema: SCHEMA, bus: this.savedBusState, protocol: this.protocol, ring: this.ring?.save() ?? null, port: this.channel?.port ?? 0 }
  }

  load(state: XenBlockState): void {
    expectSchema(this.name, state, SCHEMA)
    this.detach()
    if (!this.loadBusState(state.bus)) return
    const layout = LAYOUTS[state.protocol]
    const ring = layout && state.ring ? SharedRing.restore(this.host, state.ring, layout.bytes) : undefined
    const channel = ring && this.host.events.rebindBackend(state.port, () => this.work())
    if (!ring || !channel || !layout) {
      this.fail('the saved state names rings or channels that are not there')
      return
    }
    Object.assign(this, { ring, channel, layout, protocol: state.protocol })
    // What waited when the machine was saved is begun again between two slices.
    this.resumeTimer?.arm(this.host.time.now())
  }
}

const SCHEMA: SavedState['schema'] = ['xen-block', 1]
const VDISK_READONLY = 4

/** Pages that follow each other in our memory are one piece to the file. */
function append(views: Uint8Array[], view: Uint8Array): void {
  const last = views[views.length - 1]
  if (last && last.byteOffset + last.byteLength === view.byteOffset && last.buffer === view.buffer) {
    views[views.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.byteLength + view.byteLength)
  } else views.push(view)
}

/** Number of a disk in the store. xen, docs/man/xen-vbd-interface.7. */
function virtualDevice(index: number): number {
  return index < FIRST_EXTENDED ? (XVD_MAJOR << 8) | (index * PARTITIONS) : EXTENDED | (index << 8)
}

function diskName(index: number): string {
  return `xvd${index < 26 ? '' : String.fromCharCode(96 + Math.floor(index / 26))}${String.fromCharCode(97 + (index % 26))}`
}
