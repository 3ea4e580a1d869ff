/**
 * Offsets of the decoder: the binary form of the instruction table (built by isa/decoder-tables.ts, walked by core/decode/) and the state of
 * the decoded-block cache. As in layout.ts only `export const NAME = number`, so that TypeScript and AssemblyScript share it.
 */

// ---- decoder tables, relative to DECODER_TABLES -----------------------------------------------------------------------------------
export const TABLE_MAGIC = 0x42544956
/** u32 TABLE_MAGIC; u32 offsets of candidates, rows and slots; u16 handlers of "undefined" and "too long". */
export const TABLE_MAGIC_AT = 0
export const TABLE_CANDIDATES = 4
export const TABLE_ROWS = 8
export const TABLE_SLOTS = 12
export const TABLE_UNDEFINED_HANDLER = 16
export const TABLE_TOO_LONG_HANDLER = 18
/** One u32 for each opcode of each of the four maps: first candidate | count << 16 | OPCODE_* flags; 0: no such opcode. */
export const TABLE_OPCODES = 32
export const OPCODE_COUNT_SHIFT = 16
export const OPCODE_COUNT_MASK = 0xff
export const OPCODE_HAS_MODRM = 0x1000000
/** ModRM.mod is ignored: r/m is always a register (MOV to and from control and debug registers). */
export const OPCODE_FORCE_REGISTER = 0x2000000

/** A row as one of those that share an opcode. Tried in order; the first that fits decides. */
export const CANDIDATE_BYTES = 8
/** Allowed mandatory prefixes: bit 0 none, 1 66, 2 F3, 3 F2. u8. */
export const CANDIDATE_PREFIXES = 0
/** Bits 0..2: CODE_MODE; bits 3..7: conditions. u8. */
export const CANDIDATE_MODES = 1
export const CANDIDATE_NO_REX_B = 8
export const CANDIDATE_REX_W = 16
export const CANDIDATE_NO_REX_W = 32
export const CANDIDATE_MEMORY = 64
export const CANDIDATE_REGISTER = 128
/** Allowed values of ModRM.reg and ModRM.rm, one bit each. u8. */
export const CANDIDATE_REG_MASK = 2
export const CANDIDATE_RM_MASK = 3
/** Row number. u16. */
export const CANDIDATE_ROW = 4

export const ROW_BYTES = 8
/** SIZE_* u8. */
export const ROW_SIZE = 0
/** ROW_* flags u8. */
export const ROW_FLAGS = 1
export const ROW_ENDS_BLOCK = 1
export const ROW_LOCKABLE = 2
/** Operands, u8 each: SOURCE_* | argument << 5. */
export const ROW_OPERANDS = 2
export const ROW_OPERAND_COUNT = 3
/** Handlers, u16 each: [size 0..3][memory][address size 0..2][rep 0..2]. */
export const ROW_SLOT_BYTES = 144

export const SIZE_B = 0
export const SIZE_W = 1
export const SIZE_D = 2
export const SIZE_Q = 3
export const SIZE_V = 4
export const SIZE_Z = 5
export const SIZE_Y = 6
export const SIZE_D64 = 7
export const SIZE_F64 = 8
export const SIZE_M = 9

/** Where an operand comes from. The argument (3 bits) of the general-purpose ones is 1 for byte registers, of FIXED* the register. */
export const SOURCE_NONE = 0
export const SOURCE_REG_GPR = 1
/** Register, or the memory operand. */
export const SOURCE_RM_GPR = 2
export const SOURCE_OPCODE_GPR = 3
export const SOURCE_FIXED_GPR = 4
/** Number of an XMM register: extended by REX. */
export const SOURCE_REG_XMM = 5
export const SOURCE_RM_XMM = 6
/** Number of an MMX, x87 or similar register: three bits. */
export const SOURCE_REG_SMALL = 7
export const SOURCE_RM_SMALL = 8
export const SOURCE_FIXED = 9
export const SOURCE_SREG = 10
export const SOURCE_CR = 11
export const SOURCE_DR = 12
export const SOURCE_IMM8 = 13
export const SOURCE_SIMM8 = 14
export const SOURCE_IMM16 = 15
/** 16 or 32 bits by operand size, sign-extended. */
export const SOURCE_IMM_Z = 16
/** 16, 32 or 64 bits by operand size. */
export const SOURCE_IMM_V = 17
export const SOURCE_REL8 = 18
export const SOURCE_REL_Z = 19
export const SOURCE_FAR = 20
export const SOURCE_MOFFS = 21
/** Second immediate of ENTER. */
export const SOURCE_IMM8_SECOND = 22
/** As SOURCE_SREG, and CS is undefined. */
export const SOURCE_SREG_WRITTEN = 23
export const SOURCE_MASK = 31
export const SOURCE_ARGUMENT_SHIFT = 5

// ---- decoded-block cache: shared by all vCPUs ---------------------------------------------------------------------------------------
/** Absolute addresses in MACHINE_STATE. Next free byte of the arena (0: nothing decoded yet). u32. */
export const ARENA_NEXT = 0x700000
/** Counters, u32 each. */
export const COUNT_BLOCKS_DECODED = 0x700004
export const COUNT_RECORDS_DECODED = 0x700008
export const COUNT_BLOCKS_DROPPED = 0x70000c
export const COUNT_CODE_FLUSHES = 0x700010
export const COUNT_UNCACHED_DECODES = 0x700014
export const COUNT_CODE_WRITES = 0x700018
/** How often the interpreter runs a block before it asks for its translation (host function region_wanted). u32; 0: never. */
export const HOT_THRESHOLD = 0x700020
/**
 * Links: the record of a direct jump (REC_FLAG_DIRECT) has two words, for going on behind it and for being taken: the first record of the block that follows in the same page; 0: not
 * looked for yet; LINK_NONE: none, it is in another page. They stand where the record of another instruction has its memory operand and its second immediate.
 */
export const LINK_TAKEN = 12
export const LINK_BEHIND = 24
export const LINK_NONE = 1
/** How many records are before this one in its block. u8. */
export const LINK_POSITION = 9
/** Address of the link that the run loop wants for the block it goes to; 0: forget it. u32. */
export const LINK_WANTED = 0x700024
/** In CODE_PAGES entries, u8 each: writes that hit no decoded code, since code was dropped from the page or the count was last full. */
export const CODE_PAGE_MISSES = 4
/** 1: code of the page was looked up since CODE_PAGE_MISSES was last full: it is in use. */
export const CODE_PAGE_RAN = 5
/** 1: the host has translations of the page and wants to hear what is dropped (code_dropped). Only the host sets and clears it. */
export const CODE_PAGE_WATCHED = 7
export const CODE_PAGE_LINES = 8

// ---- per vCPU: 0x3A000..0x3BFFF ----------------------------------------------------------------------------------------------------------
/**
 * Blocks of one record for instructions that no page's list may have: they cross a page, the CS limit, or are not in memory. By a hash of their
 * address; each with the bytes that were decoded (16), behind the record.
 */
export const UNCACHED_BLOCKS = 0x3a000
export const UNCACHED_BLOCK_COUNT = 64
export const UNCACHED_BLOCK_BYTES = 128
export const UNCACHED_BYTES = 64
