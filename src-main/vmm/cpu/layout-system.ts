/**
 * Offsets of system state inside a vCPU (SYSTEM_EXTRA, 1664..2687) and of the memory management's own tables. As in layout.ts only
 * `export const NAME = number`, so that TypeScript and AssemblyScript share it.
 */

// ---- results of the last page walk / fetch (transient) ---------------------------------------------------------------------------
/** Guest-physical address of the 4 KiB page. u64. */
export const WALK_PAGE = 1664
/** WALK_GLOBAL and WALK_DIRTY bits. u32. */
export const WALK_FLAGS = 1672
export const WALK_GLOBAL = 1
/** The leaf's dirty bit is set (or there is no leaf): write entries may be cached. */
export const WALK_DIRTY = 2
/** From this bit on: size of the page, 0 4 KiB, 1 2 MiB, 2 4 MiB, 3 1 GiB. */
export const WALK_SIZE_SHIFT = 4
/** fetch_page: 1 = the page is not plain memory; the host address is a bounce page whose contents must not be cached. u32. */
export const WALK_UNCACHED = 1676

// ---- paging and TLB --------------------------------------------------------------------------------------------------------------
/** PDPTE0..3 of PAE paging, loaded when CR3 (or the mode) is written. 4 * u64. */
export const PDPTES = 1680
/** How the current code accesses memory: ACCESS_USER, ACCESS_SUPERVISOR, ACCESS_SUPERVISOR_AC; index of its TLB context. i32. */
export const ACCESS_MODE = 1712
export const ACCESS_USER = 0
export const ACCESS_SUPERVISOR = 1
/** Supervisor with EFLAGS.AC under SMAP: user pages may be read and written. */
export const ACCESS_SUPERVISOR_AC = 2
/** 1: nothing is cached in the TLB, because every access must be looked at (alignment checks). i32. */
export const TLB_NO_FILL = 1716
/** Bits 0..3: breakpoint i watches data (DR7 enabled, R/W not 0); bits 8..11: watches instructions; bits 16..19: I/O. i32. */
export const WATCH = 1720
/** Number of entries in TLB_JOURNAL. u32. */
export const TLB_JOURNAL_COUNT = 1724
/** DR6 bits of data and I/O breakpoints met by the running instruction. u32. */
export const DEBUG_PENDING = 1728
/** EFLAGS.TF before the running instruction. u32. */
export const DEBUG_STEP = 1732
/** 1: MOV SS or POP SS just ran; debug traps wait for the next instruction too. u32. */
export const DEBUG_SS_SHADOW = 1736
/** 1: the recorded exception is a trap (RF is pushed as it is). u32. */
export const EXC_TRAP = 1740
/** CS limit for which CODE_EPOCH holds. u32. */
export const EPOCH_CS_LIMIT = 1744
/** I/O breakpoint or paging helper scratch. u32. */
export const PENDING_EXT = 1748

// ---- a stack being built (interrupt delivery, call gates) ------------------------------------------------------------------------
export const STK_BASE = 1752
/** u64 stack pointer; the parts above STK_MASK are kept. */
export const STK_POINTER = 1760
export const STK_MASK = 1768
export const STK_LIMIT = 1776
export const STK_ACCESS = 1780
/** ACCESS_* with which the stack is written. i32. */
export const STK_MODE = 1784
/** Error code of stack faults. u32. */
export const STK_ERROR = 1788
export const STK_SELECTOR = 1792
/** 1: 64-bit (no limit checks, canonical form instead). u32. */
export const STK_FLAT = 1796

// ---- descriptor just read --------------------------------------------------------------------------------------------------------
/** Raw 8 bytes (low dword, high dword), and the second 8 of a system descriptor in long mode. */
export const DESC_LOW = 1800
export const DESC_HIGH = 1804
export const DESC_UPPER = 1808
/** Linear address of the descriptor, for the accessed and busy bits. u64. */
export const DESC_ADDRESS = 1816

// ---- MSRs ------------------------------------------------------------------------------------------------------------------------
/** MTRR variable ranges: 8 * (base u64, mask u64). */
export const MTRR_VARIABLE = 1824
export const MTRR_VARIABLE_COUNT = 8
/** 11 fixed-range registers: 250h, 258h, 259h, 268h..26Fh. u64 each. */
export const MTRR_FIXED = 1952
export const MTRR_DEF_TYPE = 2040
export const MSR_MISC_ENABLE = 2048
export const MSR_MCG_STATUS = 2056
/** AMD's SYSCFG, HWCR and similar kept for the guest to read back. u64 each. */
export const MSR_SYSCFG = 2064
export const MSR_HWCR = 2072
/** IA32_BIOS_SIGN_ID (microcode revision in the high half). */
export const MSR_BIOS_SIGN_ID = 2080
export const MSR_DEBUGCTL = 2088
/** TSC reading at which the guest's TSC was last written is folded into TSC_OFFSET; this is IA32_TSC_ADJUST. */
export const MSR_TSC_ADJUST = 2096
/** State of the deterministic generator behind RDRAND and RDSEED. u64, never 0. */
export const RANDOM_STATE = 2104
/** Accesses to MSRs that nothing implements; the last index. u32 each. */
export const UNKNOWN_MSR_COUNT = 2112
export const UNKNOWN_MSR_LAST = 2116
/** IA32_MISC: FEATURE_CONTROL value. */
export const MSR_FEATURE_CONTROL = 2120
/** AMD performance: PATCH_LEVEL, written by microcode update (ignored). */
export const MSR_PAT_LEVEL = 2128

// ---- task switch scratch -----------------------------------------------------------------------------------------------------------
/** 16 u64 slots: the incoming task's image while it is checked. */
export const TASK_IMAGE = 2144
// ends at 2272

// ---- features ----------------------------------------------------------------------------------------------------------------------
/** Copies of CPUID feature words that the core itself obeys. u32 each: 1.ECX 1.EDX 7.EBX 80000001.ECX 80000001.EDX. */
export const FEATURE_1_ECX = 2272
export const FEATURE_1_EDX = 2276
export const FEATURE_7_EBX = 2280
export const FEATURE_EXT_ECX = 2284
export const FEATURE_EXT_EDX = 2288
/** 1: SYSCALL in compatibility mode works and SYSENTER in long mode does not (AMD); 0: the reverse (Intel). u32. */
export const VENDOR_AMD = 2292
/** Signature in EDX after reset: family, model, stepping. u32. */
export const CPU_SIGNATURE = 2296
/** Instructions the local APIC's id appears in; CPUID leaf 1 EBX bits 24..31. u32. */
export const APIC_ID = 2300
/** Bits of XCR0 that may be set. u32. */
export const XCR0_SUPPORTED = 2304

// ---- counters (statistics; not architectural) --------------------------------------------------------------------------------------
export const COUNT_PAGE_WALKS = 2312
export const COUNT_TLB_FLUSHES = 2320
export const COUNT_INTERRUPTS = 2328
export const COUNT_EXCEPTIONS = 2336
export const COUNT_MMIO = 2344
export const COUNT_PIO = 2352
/** RIP of the instruction that raised the last exception. u64. */
export const LAST_EXCEPTION_RIP = 2360
/** u32 each. */
export const LAST_EXCEPTION_VECTOR = 2368
export const LAST_EXCEPTION_ERROR = 2372
/** Ports that code of every privilege level may use, whatever the I/O permission bitmap says: first | last << 16; 0: none. u32. */
export const OPEN_PORTS = 2376
/** 32 u32 counters of exceptions by vector: 2384..2511. */
export const COUNT_BY_VECTOR = 2384

// ---- answers of call_hypervisor --------------------------------------------------------------------------------------------------------
/** No hypervisor listens: #UD. */
export const HYPERCALL_UNDEFINED = 0
export const HYPERCALL_DONE = 1
/** Done, and the vCPU waits for an interrupt. */
export const HYPERCALL_HALT = 2

// ---- vCPU areas behind the TLB (0x26000..0x3FFFF) ------------------------------------------------------------------------------------
/** u32 vCPU-relative offsets of TLB slots that were filled since the last whole flush. */
export const TLB_JOURNAL = 0x26000
export const TLB_JOURNAL_ENTRIES = 16384
/** Bounce page for instruction fetches from something that is not memory. */
export const FETCH_BOUNCE = 0x36000
/**
 * CPUID table, filled by TypeScript: u32 count at +0, then from +32 entries of 32 bytes: u32 leaf, u32 subleaf, u32 flags (1: the subleaf matters),
 * u32 reserved, u32 EAX EBX ECX EDX.
 */
export const CPUID_TABLE = 0x37000
export const CPUID_ENTRY_BYTES = 32
export const CPUID_ENTRIES_MAX = 96
/** A page access of 16 bytes at the end of linear memory's page: scratch for split 128-bit accesses. */
export const SPLIT_BUFFER = 0x38000
/**
 * 4096 bits: pages (hash of linear >> 12, of linear >> 30 for large pages) from which the jump cache was filled since it was last made stale. INVLPG of
 * other pages leaves it as it is.
 */
export const JUMP_PAGES = 0x39000
export const JUMP_PAGES_BYTES = 512
/** 4096 bits: 4 MiB of linear addresses (core/mmu/tlb says which) in which the TLB may have pieces of large pages; INVLPG elsewhere looks at nine slots only. */
export const TLB_LARGE = 0x39200
export const TLB_LARGE_BYTES = 512

// ---- validity of the jump cache: 3204..3223 -------------------------------------------------------------------------------------------
/** Counter behind CODE_EPOCH, and the values of it that entries of supervisor and user code are valid for. u32 each. */
export const EPOCH_COUNT = 3204
export const EPOCH_SUPERVISOR = 3208
export const EPOCH_USER = 3212
/** 1: some supervisor entry was filled from a page that is not global, so it goes when CR3 is written. u32. */
export const EPOCH_LOCAL = 3216
/** 1: memory that is not plain reads as 0 and no device is asked: a region's page walk must not reach one. u32. */
export const NO_DEVICES = 3220
