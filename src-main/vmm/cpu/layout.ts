/**
 * Layout of the machine's linear memory. One file, compiled by TypeScript and AssemblyScript alike: only `export const NAME = number`.
 * All fields are little-endian. Offsets named after a register are relative to the vCPU's base address.
 */

// ---- the whole memory -------------------------------------------------------------------------------------------------------
/** Static data of the AssemblyScript core (asc --memoryBase). */
export const CORE_STATIC = 0x10000
/** Decoder tables, generated from isa/ and copied here when a machine is created. */
export const DECODER_TABLES = 0x40000
export const DECODER_TABLES_BYTES = 0xc0000
/** vCPU i lives at VCPU_BASE + i * VCPU_STRIDE. */
export const VCPU_BASE = 0x100000
export const VCPU_STRIDE = 0xc0000
export const VCPU_MAX = 8
/** Per machine: state shared by all vCPUs (allocation pointers of the code cache and the like). */
export const MACHINE_STATE = 0x700000
/**
 * How often the region of each table slot has been entered, about: a u32 for each, wrapping. Read by the code cache and the inspector. Entries from the run
 * loop are all counted, of those from other regions one in REGION_SAMPLE: a kernel's regions are more cache lines of these than counting is worth.
 */
export const REGION_COUNTS = 0x740000
export const REGION_SAMPLE = 16
export const REGION_SLOTS_MAX = 0x10000
/**
 * The latest of the counted ones among entries from other regions, a ring of 16 bytes each: +0 u32 entry word of the region that was left, +4 u32 entry word of the
 * next, +8 u64 linear address of that. REGION_WAYS_NEXT: how many there have been. u32, wrapping. The planner of regions learns from it where indirect jumps go.
 */
export const REGION_WAYS = 0x780000
export const REGION_WAYS_MAX = 4096
export const REGION_WAY_BYTES = 16
export const REGION_WAYS_NEXT = 0x700030
/** Hash table from (physical address, mode) to the first record of a decoded block. */
export const BLOCK_HASH = 0x800000
export const BLOCK_HASH_BYTES = 0x100000
/** Arena of decoded blocks (header + records). When it is full everything decoded is dropped. */
export const BLOCK_ARENA = 0x900000
export const BLOCK_ARENA_BYTES = 0x1700000
/** physmap: one u32 for each 4 KiB guest-physical page: host page address | PHYS_* flags; 0 = not memory (MMIO or nothing). */
export const PHYSMAP = 0x2000000
/** Pages covered by the physmap: 8 GiB of guest-physical space. */
export const PHYSMAP_PAGES = 0x200000
/** 16 bytes for each guest-physical page: +0 u32 first block of the page (list), +8 u64 bitmap of 64-byte lines that hold decoded code. */
export const CODE_PAGES = 0x2800000
export const CODE_PAGE_BYTES = 16
/** One byte for each 4 KiB page of host (linear) memory: 1 = written since takeDirty. 1 MiB covers 4 GiB. */
export const DIRTY_MAP = 0x4800000
/**
 * Where the run loop went from each region: for each vCPU NEXT_LINES lines of NEXT_WAYS entries, by the low bits of the table slot of the region that was left. Entries of 16 bytes: +0 u64
 * linear address, +8 i32 CODE_EPOCH for which it holds, +12 u32 entry word of the translated block there; 0: none. They are true or stale as the jump cache's are, whatever region
 * they stand with.
 */
export const NEXT_REGIONS = 0x4900000
export const NEXT_LINES = 8192
export const NEXT_WAYS = 4
export const NEXT_WAY_BYTES = 16
export const NEXT_EPOCH = 8
export const NEXT_WORD = 12
/** First byte of guest RAM (64 KiB aligned); ROMs, video memory and other blocks follow after it. */
export const RAM_BASE = 0x5000000

/** physmap flags (low 12 bits of an entry). */
export const PHYS_READ = 1
export const PHYS_WRITE = 2
/** The page holds decoded code: writes take the slow path, which drops what they hit. */
export const PHYS_CODE = 4

// ---- vCPU: registers ----------------------------------------------------------------------------------------------------------
/** RAX RCX RDX RBX RSP RBP RSI RDI R8..R15, 8 bytes each. AH CH DH BH are at +1. */
export const REG_GPR = 0
/** Instruction pointer (offset in CS) of the instruction being executed; after it retired, of the next one. */
export const REG_RIP = 128
/** Instruction pointer after the current instruction. Jumps write it; retiring copies it to REG_RIP. */
export const REG_NEXT_RIP = 136
/** Always 0: stands for "no base" and "no index" in a record. */
export const REG_ZERO = 144
/**
 * The six status flags are lazy:
 *   ZF = FLAG_RESULT == 0        SF = (FLAG_RESULT < 0) ^ bit 16 of FLAG_AUX       PF = even parity of the low byte of (FLAG_RESULT ^ FLAG_AUX >> 8)
 *   CF = bit 31 of FLAG_AUX      OF = bit 31 ^ bit 30 of FLAG_AUX                  AF = bit 3 of FLAG_AUX
 * FLAG_RESULT is the sign-extended result. For additions FLAG_AUX is the vector of carries out of each bit, shifted so that the top
 * bit's carry is bit 31 (AF's carry stays in bit 3); for subtractions of borrows.
 */
export const FLAG_RESULT = 152
export const FLAG_AUX = 160
export const FLAG_AUX_CF = 0x80000000
export const FLAG_AUX_OF_XOR_CF = 0x40000000
export const FLAG_AUX_SF_FLIP = 0x10000
export const FLAG_AUX_PF_SHIFT = 8
export const FLAG_AUX_AF = 8
/** All other RFLAGS bits (TF IF DF IOPL NT RF VM AC VIF VIP ID, and bit 1 = 1); status bits here are 0. u32. */
export const REG_EFLAGS = 164

// ---- vCPU: segments: ES CS SS DS FS GS LDTR TR -----------------------------------------------------------------------------------
export const SEGMENTS = 192
export const SEG_BYTES = 48
export const SEG_SELECTOR = 0
/** Bits 8..23 of the descriptor's second dword, in place (type, S, DPL, P, AVL, L, D/B, G: mask 0x00F0FF00). 0 P bit = unusable. u32. */
export const SEG_ACCESS = 4
export const SEG_BASE = 8
/** Byte-granular limit. u32. */
export const SEG_LIMIT = 16
/** What address generation uses: 0 for ES CS SS DS in 64-bit mode, else SEG_BASE. u64. Kept by core/segment. */
export const SEG_EFFECTIVE_BASE = 24
/**
 * First offset past what may be read / written without a closer look (exclusive). u64. An access of n bytes at offset o passes when o + n <= end,
 * unsigned 64-bit; otherwise segment_check decides (expand-down, null, read-only, wrap). 0: never passes (unusable segment). All ones in 64-bit mode.
 */
export const SEG_READ_END = 32
export const SEG_WRITE_END = 40
export const SEG_ES = 0
export const SEG_CS = 1
export const SEG_SS = 2
export const SEG_DS = 3
export const SEG_FS = 4
export const SEG_GS = 5
export const SEG_LDTR = 6
export const SEG_TR = 7
// 8 * 48 = 384: ends at 576

export const GDTR_BASE = 576
export const GDTR_LIMIT = 584
export const IDTR_BASE = 592
export const IDTR_LIMIT = 600
export const REG_CR0 = 608
export const REG_CR2 = 616
export const REG_CR3 = 624
export const REG_CR4 = 632
export const REG_XCR0 = 640
export const MSR_EFER = 648
/** DR0..DR3, DR6, DR7, 8 bytes each. */
export const REG_DR0 = 656
export const REG_DR6 = 688
export const REG_DR7 = 696
export const MSR_STAR = 704
export const MSR_LSTAR = 712
export const MSR_CSTAR = 720
export const MSR_SFMASK = 728
export const MSR_KERNEL_GS_BASE = 736
export const MSR_SYSENTER_CS = 744
export const MSR_SYSENTER_ESP = 752
export const MSR_SYSENTER_EIP = 760
export const MSR_PAT = 768
export const MSR_APIC_BASE = 776
/** Added to the host's TSC reading. */
export const TSC_OFFSET = 784
export const MSR_TSC_AUX = 792

// ---- vCPU: derived state (recomputed by core helpers when what they derive from changes) ------------------------------------------
/** Current privilege level, 0..3. i32. */
export const CPL = 800
/** Code size: 0 = 16-bit, 1 = 32-bit, 2 = 64-bit. Part of the key of decoded blocks. i32. */
export const CODE_MODE = 804
/** Mask of the stack pointer: FFFFh, FFFFFFFFh or all ones. u64. */
export const STACK_MASK = 808
/** Mask of linear addresses: FFFFFFFFh outside 64-bit mode, else all ones. u64. */
export const LINEAR_MASK = 816
/** Absolute address of the TLB context in use (privilege and SMAP). i32. */
export const TLB_CONTEXT = 824
/** ANDed to the low half of every guest-physical address: all ones, or FFEFFFFFh while A20 is masked. u32. */
export const A20_MASK = 828

// ---- vCPU: run control ----------------------------------------------------------------------------------------------------------
/** Nonzero: the run loop stops at the next block boundary and looks (ATTENTION_* bits). Written by devices through the engine. i32. */
export const ATTENTION = 832
/** Maskable interrupt request from the interrupt controllers. */
export const ATTENTION_INTR = 1
export const ATTENTION_NMI = 2
/** The host wants the run loop to return (mailbox, deadline moved closer, pause). */
export const ATTENTION_HOST = 4
/** Single-step or debug registers are active: run one instruction at a time. */
export const ATTENTION_DEBUG = 8
/** One instruction must run before interrupts are taken (STI, MOV SS). */
export const ATTENTION_SHADOW = 16
/** Instructions left in this slice; counted down before each instruction. i32. */
export const BUDGET = 836
/** Budget at the start of the slice. Retired in this slice = SLICE - BUDGET. i32. */
export const SLICE = 840
/** 1 while the vCPU waits for an interrupt (HLT). i32. */
export const HALTED = 844
/** Instructions retired before this slice. u64. */
export const RETIRED = 848
/** Pending exception recorded by raise: vector, or -1. i32. */
export const EXC_VECTOR = 856
export const EXC_ERROR = 860
/** 1: push the error code. i32. */
export const EXC_HAS_ERROR = 864
/** EXIT_* for the host after STATUS_EXIT. i32. */
export const EXIT_REASON = 868
export const EXIT_INFO = 872
/**
 * Changes whenever a jump-cache entry may be stale: TLB flush, code dropped, mode change. i32, compared for equality. Bits 26..31 hold the mode
 * (code size, user, flat), kept by core/segment, so that entries of kernel and user live side by side; change it only through bump_code_epoch(vcpu)
 * and bump_local_epoch(vcpu).
 */
export const CODE_EPOCH = 876
/** Address of the record being executed. i32. */
export const CURRENT_RECORD = 880
/** NMIs blocked until IRET. i32. */
export const NMI_BLOCKED = 884
/** Linear address of the last page fault, until it is delivered to CR2. u64. */
export const EXC_ADDRESS = 888
/** Results of helpers that return more than one value. 64 bytes. */
export const SCRATCH = 896

export const EXIT_NONE = 0
export const EXIT_HALT = 1
export const EXIT_TRIPLE_FAULT = 2
export const EXIT_HOST = 3
/** The CPU met something that is not implemented: EXIT_INFO says what (UNIMPLEMENTED_*). */
export const EXIT_UNIMPLEMENTED = 4

/** What an instruction handler or a 'status' helper returns. */
export const STATUS_NEXT = 0
/** The instruction retired and ended the block: control transfer, or state changed that decoding or the run loop depends on. */
export const STATUS_JUMP = 1
/** An exception is recorded in EXC_*; registers are as before the instruction (REG_RIP at it). */
export const STATUS_FAULT = 2
/** The instruction retired and the host must look (EXIT_REASON). */
export const STATUS_EXIT = 3
/** Of a region: nothing of the instruction at REG_RIP has happened; the interpreter must execute it (and its block). */
export const STATUS_INTERPRET = 4
/** Of a region: as STATUS_INTERPRET, because the budget is too small for the basic block at REG_RIP. */
export const STATUS_SHORT = 5

// ---- vCPU: x87, MMX, SSE -----------------------------------------------------------------------------------------------------------
export const FPU_CW = 960
/** Status word without TOP (bits 11..13 are kept in FPU_TOP). u32. */
export const FPU_SW = 964
export const FPU_TOP = 968
/** One bit for each physical register: 1 = in use (FXSAVE's abridged form). u32. */
export const FPU_TAGS = 972
export const FPU_OPCODE = 976
export const FPU_CS = 980
export const FPU_IP = 984
export const FPU_DP = 992
export const FPU_DS = 1000
export const MXCSR = 1004
/** 1: IGNNE# is asserted: with CR0.NE clear, x87 instructions go on in spite of a pending exception until that is cleared. u32. */
export const FPU_IGNORE_ERRORS = 1008
/** Physical registers R0..R7, 16 bytes each: u64 significand, u16 sign and exponent. MM0..MM7 are the significands of R0..R7. */
export const FPU_REGS = 1024
export const FPU_REG_BYTES = 16
/** XMM0..XMM15; the stride leaves room for YMM. */
export const XMM = 1152
export const XMM_STRIDE = 32
// ends at 1664
/** 1664..2687: further MSRs and system state (core/). 2688..3199: SSE/x87 scratch. 3200..4095: run loop and interpreter. */
export const SYSTEM_EXTRA = 1664
export const SIMD_EXTRA = 2688
export const RUN_EXTRA = 3200
/** Key of decoded blocks and regions: CODE_MODE | KEY_FLAT. i32. Kept by core/segment. */
export const CODE_KEY = 3200
/** 1: run() may come back a few instructions before its budget is used up, where a region would have to be left for them. i32. */
export const STOP_EARLY = 3224
/** 32-bit code with CS, SS, DS and ES of base 0, limit 4 GiB and full rights, and a 32-bit stack: no segment needs a look. */
export const KEY_FLAT = 4

// ---- vCPU: soft TLB -----------------------------------------------------------------------------------------------------------------
/**
 * TLB_CONTEXTS contexts (user; supervisor; supervisor with EFLAGS.AC under SMAP), in each three tables (read, write, execute) of
 * TLB_ENTRIES direct-mapped entries of 16 bytes: +0 u64 tag = linear page address (all ones: empty), +8 u32 addend: host offset - low half of the
 * linear address, +12 u32 guest-physical page number | bit 31: global. A hit means: the access is allowed, needs no A/D update, and the page is plain memory (for writes: without code, and marked dirty).
 */
export const TLB = 0x2000
export const TLB_ENTRIES = 1024
export const TLB_ENTRY_BYTES = 16
export const TLB_TABLE_BYTES = 0x4000
export const TLB_CONTEXT_BYTES = 0xc000
export const TLB_CONTEXTS = 3
export const TLB_READ = 0
export const TLB_WRITE = 0x4000
export const TLB_EXECUTE = 0x8000
// ends at 0x26000

/**
 * Jump cache: entries of 16 bytes: +0 u64 linear RIP, +8 i32 CODE_EPOCH it is valid for, +12 u32 the block's entry word (BLOCK_ENTRY) when it is
 * translated, else 0. Who goes from region to region reads only this; the first record of each entry's block stands apart, in JUMP_RECORDS (u32).
 * As many entries as a kernel's working set has blocks: with 4096, addresses that share a slot made 7 million look-ups in 250 million instructions of fork
 * and exec. Index: (linear >> JUMP_CACHE_SHIFT) ^ (linear >> JUMP_CACHE_FOLD), or its neighbour's.
 */
export const JUMP_CACHE = 0x40000
export const JUMP_CACHE_ENTRIES = 16384
export const JUMP_CACHE_ENTRY_BYTES = 16
export const JUMP_CACHE_SHIFT = 2
export const JUMP_CACHE_FOLD = 12
export const JUMP_EPOCH = 8
export const JUMP_WORD = 12
export const JUMP_RECORDS = 0x80000
// ends at 0x90000

// ---- decoded records --------------------------------------------------------------------------------------------------------------------
export const REC_BYTES = 32
/** Index of the handler in the interpreter's dispatch (isa/forms). u16. */
export const REC_HANDLER = 0
/** Length of the instruction, 1..15. u8. */
export const REC_LENGTH = 2
/** REC_FLAG_* bits. u8. */
export const REC_FLAGS = 3
export const REC_FLAG_ENDS_BLOCK = 1
export const REC_FLAG_LOCK = 2
/** A jump or call to a fixed distance, of operand size 32 or 64: its record, the last of its block, holds links (layout-decode, LINK_*). */
export const REC_FLAG_DIRECT = 4
/**
 * Register operands, u8 each. General-purpose: byte offset in the register file (register * 8; AH CH DH BH: +1).
 * All other kinds (XMM, MM, ST, segment, CR, DR): the register's number.
 */
export const REC_OP0 = 4
export const REC_OP1 = 5
export const REC_OP2 = 6
/** Memory operand: byte offsets of base and index in the register file (REG_ZERO: none; REG_NEXT_RIP as base: RIP-relative). u8. */
export const REC_BASE = 7
export const REC_INDEX = 8
/** Shift of the index, 0..3. u8. */
export const REC_SCALE = 9
/** Segment register of the memory operand, SEG_*. u8. */
export const REC_SEGMENT = 10
/** 64 - address size in bits: 48, 32 or 0. An effective address is masked with (all ones >>> this). u8. */
export const REC_ADDRESS_SHIFT = 11
export const REC_DISP = 12
/** Immediate, sign- or zero-extended as its operand says; branch displacement; 64-bit address of a moffs operand; FOP of x87 instructions. i64. */
export const REC_IMM = 16
/** Second immediate: selector of a far pointer, level of ENTER. u32. */
export const REC_IMM2 = 24
/** For messages: (map << 16) | (mandatory prefix << 8) | opcode byte. u32. */
export const REC_OPCODE = 28

/** Block header, before the first record. */
export const BLOCK_HEADER_BYTES = 32
/** Physical address of the first byte (u64), CODE_KEY (u32), number of records (u32), next block of the page (u32), bytes of code (u32). */
export const BLOCK_GPA = 0
export const BLOCK_MODE = 8
/** In BLOCK_MODE: a part of an instruction that crosses the end of a page (core/decode/crossing). */
export const KEY_CROSSING = 8
/** In BLOCK_MODE: the block was dropped. */
export const BLOCK_DROPPED = 0xffffffff
export const BLOCK_RECORDS = 12
export const BLOCK_NEXT_IN_PAGE = 16
export const BLOCK_CODE_BYTES = 20
export const BLOCK_NEXT_IN_HASH = 24
/**
 * The word right before the first record. u32. With ENTRY_TRANSLATED: slot of the region's function in the table (ENTRY_SLOT_MASK) and which of its
 * entries this block is (ENTRY_SELECTOR_SHIFT, 15 bits). Otherwise how often the interpreter has run the block; ENTRY_NEVER: it is not counted.
 */
export const BLOCK_ENTRY = 28
export const ENTRY_TRANSLATED = 0x80000000
export const ENTRY_SLOT_MASK = 0xffff
export const ENTRY_SELECTOR_SHIFT = 16
export const ENTRY_NEVER = 0x7fffffff
