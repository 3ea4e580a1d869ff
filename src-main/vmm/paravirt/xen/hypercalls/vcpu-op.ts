/** HYPERVISOR_vcpu_op and set_timer_op. xen/include/public/vcpu.h. */
import { EINVAL, ENOENT, ENOSYS, ETIME, refuse } from '../errors'
import { GuestStruct } from '../guest-struct'
import { TIME_RECORD_BYTES, SHORTEST_PERIOD_NS } from '../vcpu-time'
import type { Hypercall } from './domain'

const UP = 1
const IS_UP = 3
const GET_RUNSTATE = 4
const REGISTER_RUNSTATE = 5
const SET_PERIODIC = 6
const STOP_PERIODIC = 7
const SET_SINGLESHOT = 8
const STOP_SINGLESHOT = 9
const REGISTER_VCPU_INFO = 10
const REGISTER_TIME = 13
/** Longest period, in ns: what a number of timers may be multiplied with. */
const LONGEST_PERIOD = 1n << 50n
const IN_FUTURE = 1
const LAST_FRAME = 0x1fffffn

const PERIOD = new GuestStruct({ ns: 'u64' })
const SINGLESHOT = new GuestStruct({ deadline: 'u64', flags: 'u32' })
const VCPU_INFO = new GuestStruct({ frame: 'u64', offset: 'u32', reserved: 'u32' })
const AREA = new GuestStruct({ address: 'long' })

export const vcpuOp: Hypercall = (call, { time, shared }) => {
  if (call.argument32(1) !== 0) refuse(ENOENT)
  const at = call.argument(2)
  switch (call.argument32(0)) {
    case UP:
      return 0
    case IS_UP:
      return 1
    case GET_RUNSTATE:
      call.writeBytes(at, time.runstate(call.word))
      return 0
    case REGISTER_RUNSTATE: {
      const { address } = call.read(AREA, at)
      time.setRunstateArea(address === 0n ? [] : call.places(address, time.runstate(call.word).length), call.word)
      return 0
    }
    case SET_PERIODIC: {
      const { ns } = call.read(PERIOD, at)
      if (ns < BigInt(SHORTEST_PERIOD_NS) || ns > LONGEST_PERIOD) refuse(EINVAL)
      time.setPeriod(Number(ns))
      return 0
    }
    case STOP_PERIODIC:
      time.setPeriod(0)
      return 0
    case SET_SINGLESHOT: {
      const { deadline, flags } = call.read(SINGLESHOT, at)
      if ((flags & IN_FUTURE) !== 0 && deadline < BigInt(time.now())) refuse(ETIME)
      time.setTimer(deadline)
      return 0
    }
    case STOP_SINGLESHOT:
      time.stopTimer()
      return 0
    case REGISTER_VCPU_INFO: {
      const { frame, offset } = call.read(VCPU_INFO, at)
      if (shared.movedVcpuInfo || frame > LAST_FRAME || !shared.moveVcpuInfo(Number(frame), offset)) refuse(EINVAL)
      time.update(call.tscOffset)
      return 0
    }
    case REGISTER_TIME: {
      const { address } = call.read(AREA, at)
      time.setTimeArea(address === 0n ? [] : call.places(address, TIME_RECORD_BYTES), call.tscOffset)
      return 0
    }
    default:
      return refuse(ENOSYS)
  }
}

/** Nanoseconds since power-on; 32-bit guests pass two halves. 0: no timer. */
export const setTimerOp: Hypercall = (call, { time }) => {
  time.setTimer(call.word === 8 ? call.argument(0) : call.argument(0) | (call.argument(1) << 32n))
  return 0
}
