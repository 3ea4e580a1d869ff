/**
 * One instruction from bytes to record. Instruction format: Intel SDM vol. 2A chapter 2; which row of the table applies: tables in
 * layout-decode.ts, compiled from isa/.
 */
import {
  DECODER_TABLES,
  REC_ADDRESS_SHIFT,
  REC_BASE,
  REC_DISP,
  REC_FLAGS,
  REC_FLAG_DIRECT,
  REC_FLAG_ENDS_BLOCK,
  REC_FLAG_LOCK,
  REC_HANDLER,
  REC_IMM,
  REC_IMM2,
  REC_INDEX,
  REC_LENGTH,
  REC_OP0,
  REC_OPCODE,
  REC_SCALE,
  REC_SEGMENT,
  REG_NEXT_RIP,
  REG_ZERO,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_SS,
} from '../../layout'
import {
  CANDIDATE_BYTES,
  CANDIDATE_MEMORY,
  CANDIDATE_MODES,
  CANDIDATE_NO_REX_B,
  CANDIDATE_NO_REX_W,
  CANDIDATE_PREFIXES,
  CANDIDATE_REGISTER,
  CANDIDATE_REG_MASK,
  CANDIDATE_REX_W,
  CANDIDATE_RM_MASK,
  CANDIDATE_ROW,
  OPCODE_COUNT_MASK,
  OPCODE_COUNT_SHIFT,
  OPCODE_FORCE_REGISTER,
  OPCODE_HAS_MODRM,
  ROW_BYTES,
  ROW_ENDS_BLOCK,
  ROW_FLAGS,
  ROW_LOCKABLE,
  ROW_OPERANDS,
  ROW_OPERAND_COUNT,
  ROW_SIZE,
  ROW_SLOT_BYTES,
  SIZE_B,
  SIZE_D,
  SIZE_D64,
  SIZE_F64,
  SIZE_M,
  SIZE_Q,
  SIZE_V,
  SIZE_W,
  SIZE_Y,
  SIZE_Z,
  SOURCE_ARGUMENT_SHIFT,
  SOURCE_CR,
  SOURCE_DR,
  SOURCE_FAR,
  SOURCE_FIXED,
  SOURCE_FIXED_GPR,
  SOURCE_IMM16,
  SOURCE_IMM8,
  SOURCE_IMM8_SECOND,
  SOURCE_IMM_V,
  SOURCE_IMM_Z,
  SOURCE_MASK,
  SOURCE_MOFFS,
  SOURCE_OPCODE_GPR,
  SOURCE_REG_GPR,
  SOURCE_REG_SMALL,
  SOURCE_REG_XMM,
  SOURCE_REL8,
  SOURCE_REL_Z,
  SOURCE_RM_GPR,
  SOURCE_RM_SMALL,
  SOURCE_RM_XMM,
  SOURCE_SIMM8,
  SOURCE_SREG,
  SOURCE_SREG_WRITTEN,
  TABLE_CANDIDATES,
  TABLE_OPCODES,
  TABLE_ROWS,
  TABLE_SLOTS,
  TABLE_TOO_LONG_HANDLER,
  TABLE_UNDEFINED_HANDLER,
} from '../../layout-decode'

const LENGTH_MAX: i32 = 15
const REX_B: u32 = 1
const REX_X: u32 = 2
const REX_R: u32 = 4
const REX_W: u32 = 8
const NO_OVERRIDE: i32 = -1
const MODE_64: i32 = 2
const REGISTER_SP: u32 = 4 << 3
const REGISTER_BP: u32 = 5 << 3

// Cursor over the bytes of the instruction in hand. Not vCPU state: valid only inside decode_instruction.
let cursor: usize = 0
let available_end: usize = 0
let starved: bool = false

// Once bytes run out everything reads 0 and `starved` is set; the result is thrown away.
function fetch8(): u32 {
  if (cursor + 1 > available_end) {
    starved = true
    return 0
  }
  const value = load<u8>(cursor)
  cursor += 1
  return value
}
function fetch16(): u32 {
  if (cursor + 2 > available_end) {
    starved = true
    return 0
  }
  const value = load<u16>(cursor)
  cursor += 2
  return value
}
function fetch32(): u32 {
  if (cursor + 4 > available_end) {
    starved = true
    return 0
  }
  const value = load<u32>(cursor)
  cursor += 4
  return value
}
function fetch64(): u64 {
  if (cursor + 8 > available_end) {
    starved = true
    return 0
  }
  const value = load<u64>(cursor)
  cursor += 8
  return value
}

/** Byte offset of a general-purpose register in the register file; AH CH DH BH without REX. */
function gpr_field(register: u32, byteRegister: u32, rex: u32): u32 {
  if (byteRegister && !rex && register >= 4) return ((register - 4) << 3) + 1
  return register << 3
}

/** 0..3: 1, 2, 4, 8 bytes. */
function operand_size(rule: u32, mode: i32, size66: bool, rexW: bool): u32 {
  const small: u32 = (mode == 0) != size66 ? 1 : 2
  switch (rule) {
    case SIZE_B:
      return 0
    case SIZE_W:
      return 1
    case SIZE_D:
      return 2
    case SIZE_Q:
      return 3
    case SIZE_V:
      return rexW ? 3 : small
    case SIZE_Z:
      return rexW ? 2 : small
    case SIZE_Y:
      return rexW ? 3 : 2
    case SIZE_D64:
      return mode == MODE_64 ? (rexW || !size66 ? 3 : 1) : small
    case SIZE_F64:
      return mode == MODE_64 ? 3 : small
    case SIZE_M:
      return mode == MODE_64 ? 3 : 2
  }
  return 2
}

/** Base and index of 16-bit addressing forms (SDM table 2-1), as register numbers; the segment is SS where BP is the base. */
function memory16(rec: usize, mod: u32, rm: u32): bool {
  let base: u32 = REG_ZERO
  let index: u32 = REG_ZERO
  let stack = false
  switch (rm) {
    case 0:
      base = 3 << 3
      index = 6 << 3
      break
    case 1:
      base = 3 << 3
      index = 7 << 3
      break
    case 2:
      base = REGISTER_BP
      index = 6 << 3
      stack = true
      break
    case 3:
      base = REGISTER_BP
      index = 7 << 3
      stack = true
      break
    case 4:
      base = 6 << 3
      break
    case 5:
      base = 7 << 3
      break
    case 6:
      if (mod != 0) {
        base = REGISTER_BP
        stack = true
      }
      break
    case 7:
      base = 3 << 3
      break
  }
  store<u8>(rec, base, REC_BASE)
  store<u8>(rec, index, REC_INDEX)
  if (mod == 1) store<i32>(rec, <i32>(<i8>fetch8()), REC_DISP)
  else if (mod == 2 || (mod == 0 && rm == 6)) store<i32>(rec, <i32>(<i16>fetch16()), REC_DISP)
  return stack
}

/** 32- and 64-bit addressing forms (SDM tables 2-2, 2-3, 2-5, 2-7). */
function memory32(rec: usize, mod: u32, rm: u32, rex: u32, mode: i32): bool {
  let base: u32 = rm | ((rex & REX_B) << 3)
  let stack = false
  let disp32 = mod == 2
  if (rm == 4) {
    const sib = fetch8()
    const index = ((sib >> 3) & 7) | ((rex & REX_X) << 2)
    base = (sib & 7) | ((rex & REX_B) << 3)
    if (index != 4) {
      store<u8>(rec, index << 3, REC_INDEX)
      store<u8>(rec, sib >> 6, REC_SCALE)
    }
    if ((base & 7) == 5 && mod == 0) {
      disp32 = true
    } else {
      store<u8>(rec, base << 3, REC_BASE)
      stack = base == 4 || base == 5
    }
  } else if (rm == 5 && mod == 0) {
    disp32 = true
    if (mode == MODE_64) store<u8>(rec, REG_NEXT_RIP, REC_BASE)
  } else {
    store<u8>(rec, base << 3, REC_BASE)
    stack = base == 5
  }
  if (mod == 1) store<i32>(rec, <i32>(<i8>fetch8()), REC_DISP)
  else if (disp32) store<i32>(rec, <i32>fetch32(), REC_DISP)
  return stack
}

function finish(rec: usize, handler: u32, flags: u32, length: i32): i32 {
  store<u16>(rec, handler, REC_HANDLER)
  store<u8>(rec, <u32>length, REC_LENGTH)
  store<u8>(rec, flags, REC_FLAGS)
  return length
}

/** A record that raises #UD: architecturally undefined (`known`), or an opcode that no row describes (handler 0, counted). */
function finish_undefined(rec: usize, known: bool, start: usize): i32 {
  const handler: u32 = known ? load<u16>(DECODER_TABLES + TABLE_UNDEFINED_HANDLER) : 0
  return finish(rec, handler, REC_FLAG_ENDS_BLOCK, <i32>(cursor - start))
}

/**
 * Decodes the instruction at host address `code`, of which `available` bytes can be read, for CODE_MODE `mode`, into the record at `rec`.
 * Returns its length, or 0 when the bytes do not suffice. What is undefined becomes a record too.
 */
export function decode_instruction(code: usize, available: i32, mode: i32, rec: usize): i32 {
  const whole = available >= LENGTH_MAX
  cursor = code
  available_end = code + (whole ? LENGTH_MAX : available)
  starved = false
  const length = decode_from(code, mode, rec)
  if (!starved) return length
  if (!whole) return 0
  return finish(rec, load<u16>(DECODER_TABLES + TABLE_TOO_LONG_HANDLER), REC_FLAG_ENDS_BLOCK, LENGTH_MAX)
}

function decode_from(start: usize, mode: i32, rec: usize): i32 {
  store<u64>(rec, 0)
  store<u64>(rec, 0, 8)
  store<u64>(rec, 0, REC_IMM)
  store<u64>(rec, 0, REC_IMM2)

  // ---- prefixes: of each group the last counts; REX counts only right before the opcode
  let rex: u32 = 0
  let size66 = false
  let address67 = false
  let lock = false
  let rep: u32 = 0
  let segmentOverride: i32 = NO_OVERRIDE
  let byte: u32 = 0
  let prefix = true
  while (prefix) {
    byte = fetch8()
    if (starved) return 0
    if (mode == MODE_64 && (byte & 0xf0) == 0x40) {
      rex = byte
      continue
    }
    switch (byte) {
      // in 64-bit mode ES CS SS DS overrides are null prefixes
      case 0x26:
        if (mode != MODE_64) segmentOverride = SEG_ES
        break
      case 0x2e:
        if (mode != MODE_64) segmentOverride = SEG_CS
        break
      case 0x36:
        if (mode != MODE_64) segmentOverride = SEG_SS
        break
      case 0x3e:
        if (mode != MODE_64) segmentOverride = SEG_DS
        break
      case 0x64:
        segmentOverride = SEG_FS
        break
      case 0x65:
        segmentOverride = SEG_GS
        break
      case 0x66:
        size66 = true
        break
      case 0x67:
        address67 = true
        break
      case 0xf0:
        lock = true
        break
      case 0xf2:
      case 0xf3:
        rep = byte
        break
      default:
        prefix = false
    }
    if (prefix) rex = 0
  }

  // ---- opcode
  let map: u32 = 0
  if (byte == 0x0f) {
    map = 1
    byte = fetch8()
    if (byte == 0x38 || byte == 0x3a) {
      map = byte == 0x38 ? 2 : 3
      byte = fetch8()
    }
  }
  if (starved) return 0
  const mandatory: u32 = rep ? rep : size66 ? 0x66 : 0
  const mandatoryBit: u32 = rep == 0xf3 ? 4 : rep == 0xf2 ? 8 : size66 ? 2 : 1
  store<u32>(rec, (map << 16) | (mandatory << 8) | byte, REC_OPCODE)
  const entry = load<u32>(DECODER_TABLES + TABLE_OPCODES + (((map << 8) | byte) << 2))
  if (entry == 0) return finish_undefined(rec, false, start)

  // ---- ModRM and the row
  const hasModrm = (entry & OPCODE_HAS_MODRM) != 0
  const modrm: u32 = hasModrm ? fetch8() : 0
  if (starved) return 0
  // x87 instructions have no immediate: FOP, what FSTENV and FXSAVE show of the opcode, stands there
  if (map == 0 && (byte & 0xf8) == 0xd8) store<u64>(rec, ((byte & 7) << 8) | modrm, REC_IMM)
  const mod: u32 = entry & OPCODE_FORCE_REGISTER ? 3 : modrm >> 6
  const reg = (modrm >> 3) & 7
  const rm = modrm & 7
  const isMemory = hasModrm && mod != 3
  const excluded: u32 = (rex & REX_B ? CANDIDATE_NO_REX_B : 0) | (rex & REX_W ? CANDIDATE_NO_REX_W : CANDIDATE_REX_W)
  const place: u32 = isMemory ? CANDIDATE_MEMORY : hasModrm ? CANDIDATE_REGISTER : 0
  let candidate = <usize>DECODER_TABLES + load<u32>(DECODER_TABLES + TABLE_CANDIDATES) + <usize>(entry & 0xffff) * CANDIDATE_BYTES
  let left = (entry >> OPCODE_COUNT_SHIFT) & OPCODE_COUNT_MASK
  let row: i32 = -1
  let otherMode = false
  while (left) {
    const conditions: u32 = load<u8>(candidate, CANDIDATE_MODES)
    if (
      load<u8>(candidate, CANDIDATE_PREFIXES) & mandatoryBit &&
      (conditions & excluded) == 0 &&
      (conditions & place) == place &&
      (load<u8>(candidate, CANDIDATE_REG_MASK) >> (hasModrm ? reg : 0)) & 1 &&
      (load<u8>(candidate, CANDIDATE_RM_MASK) >> (hasModrm ? rm : 0)) & 1
    ) {
      if ((conditions >> mode) & 1) {
        row = load<u16>(candidate, CANDIDATE_ROW)
        break
      }
      otherMode = true
    }
    candidate += CANDIDATE_BYTES
    left--
  }
  if (row < 0) return finish_undefined(rec, otherMode, start)

  const rowAt = <usize>DECODER_TABLES + load<u32>(DECODER_TABLES + TABLE_ROWS) + <usize>row * ROW_BYTES
  const rowFlags: u32 = load<u8>(rowAt, ROW_FLAGS)
  const size = operand_size(load<u8>(rowAt, ROW_SIZE), mode, size66, (rex & REX_W) != 0)
  // 0..2: 16, 32, 64 bits
  const addressSize: u32 = mode == MODE_64 ? (address67 ? 1 : 2) : (mode == 0) != address67 ? 0 : 1

  // ---- memory operand
  store<u8>(rec, REG_ZERO, REC_BASE)
  store<u8>(rec, REG_ZERO, REC_INDEX)
  const addressBits: u32 = <u32>16 << addressSize
  store<u8>(rec, 64 - addressBits, REC_ADDRESS_SHIFT)
  let segment: i32 = SEG_DS
  if (isMemory) {
    const stack = addressSize == 0 ? memory16(rec, mod, rm) : memory32(rec, mod, rm, rex, mode)
    if (stack) segment = SEG_SS
  }
  if (segmentOverride != NO_OVERRIDE) segment = segmentOverride
  store<u8>(rec, <u32>segment, REC_SEGMENT)

  // ---- operands
  let relative = false
  for (let i: usize = 0; i < <usize>ROW_OPERAND_COUNT; i++) {
    const operand: u32 = load<u8>(rowAt + i, ROW_OPERANDS)
    const argument = operand >> SOURCE_ARGUMENT_SHIFT
    let field: u32 = 0
    switch (operand & SOURCE_MASK) {
      case SOURCE_REG_GPR:
        field = gpr_field(reg | ((rex & REX_R) << 1), argument, rex)
        break
      case SOURCE_RM_GPR:
        if (!isMemory) field = gpr_field(rm | ((rex & REX_B) << 3), argument, rex)
        break
      case SOURCE_OPCODE_GPR:
        field = gpr_field((byte & 7) | ((rex & REX_B) << 3), argument, rex)
        break
      case SOURCE_FIXED_GPR:
        field = argument << 3
        break
      case SOURCE_REG_XMM:
        field = reg | ((rex & REX_R) << 1)
        break
      case SOURCE_RM_XMM:
        if (!isMemory) field = rm | ((rex & REX_B) << 3)
        break
      case SOURCE_REG_SMALL:
        field = reg
        break
      case SOURCE_RM_SMALL:
        if (!isMemory) field = rm
        break
      case SOURCE_FIXED:
        field = argument
        break
      case SOURCE_SREG:
      case SOURCE_SREG_WRITTEN:
        if (reg > 5 || ((operand & SOURCE_MASK) == SOURCE_SREG_WRITTEN && reg == SEG_CS)) return finish_undefined(rec, true, start)
        field = reg
        break
      case SOURCE_CR:
        field = reg | ((rex & REX_R) << 1)
        // CR0, CR2, CR3, CR4, CR8
        if (field > 8 || !((0x11d >> field) & 1)) return finish_undefined(rec, true, start)
        break
      case SOURCE_DR:
        if (rex & REX_R) return finish_undefined(rec, true, start)
        field = reg
        break
      case SOURCE_IMM8:
        store<u64>(rec, <u64>fetch8(), REC_IMM)
        break
      case SOURCE_REL8:
        relative = true
      case SOURCE_SIMM8:
        store<i64>(rec, <i64>(<i8>fetch8()), REC_IMM)
        break
      case SOURCE_IMM16:
        store<u64>(rec, <u64>fetch16(), REC_IMM)
        break
      case SOURCE_REL_Z:
        relative = true
      case SOURCE_IMM_Z:
        if (size == 1) store<i64>(rec, <i64>(<i16>fetch16()), REC_IMM)
        else store<i64>(rec, <i64>(<i32>fetch32()), REC_IMM)
        break
      case SOURCE_IMM_V:
        if (size == 1) store<i64>(rec, <i64>(<i16>fetch16()), REC_IMM)
        else if (size == 3) store<u64>(rec, fetch64(), REC_IMM)
        else store<i64>(rec, <i64>(<i32>fetch32()), REC_IMM)
        break
      case SOURCE_FAR:
        store<u64>(rec, size == 1 ? <u64>fetch16() : <u64>fetch32(), REC_IMM)
        store<u32>(rec, fetch16(), REC_IMM2)
        break
      case SOURCE_MOFFS:
        store<u64>(rec, addressSize == 0 ? <u64>fetch16() : addressSize == 1 ? <u64>fetch32() : fetch64(), REC_IMM)
        break
      case SOURCE_IMM8_SECOND:
        store<u32>(rec, fetch8(), REC_IMM2)
        break
    }
    store<u8>(rec + i, field, REC_OP0)
  }
  if (starved) return 0

  // ---- LOCK needs a memory destination and an operation that allows it (SDM vol. 2A, LOCK)
  let flags: u32 = rowFlags & ROW_ENDS_BLOCK ? REC_FLAG_ENDS_BLOCK : 0
  if (relative && size != 1) flags |= REC_FLAG_DIRECT
  if (lock) {
    const destination: u32 = load<u8>(rowAt, ROW_OPERANDS) & SOURCE_MASK
    if (!(rowFlags & ROW_LOCKABLE) || !isMemory || destination != SOURCE_RM_GPR) return finish_undefined(rec, true, start)
    flags |= REC_FLAG_LOCK
  }

  const repIndex: u32 = rep == 0xf3 ? 1 : rep == 0xf2 ? 2 : 0
  const slot = ((size * 2 + (isMemory ? 1 : 0)) * 3 + addressSize) * 3 + repIndex
  const slots = <usize>DECODER_TABLES + load<u32>(DECODER_TABLES + TABLE_SLOTS) + <usize>row * ROW_SLOT_BYTES
  const handler: u32 = load<u16>(slots + (<usize>slot << 1))
  if (handler == 0) flags |= REC_FLAG_ENDS_BLOCK
  return finish(rec, handler, flags, <i32>(cursor - start))
}
