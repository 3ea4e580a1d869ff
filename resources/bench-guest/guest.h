// What the sections share: types, system calls, and the shape of a section. Freestanding: no C library, not even its headers (a compiler that
// can make 32-bit code often comes without the 32-bit library).
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef long long i64;
typedef unsigned long size_t;

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)
#define NEVER_INLINE __attribute__((noinline))

// A section works `n` times on `pool` (page-aligned memory of its own, present and zero) and returns a checksum of what it computed.
typedef struct {
  const char *name;
  u32 n;
  size_t pool_bytes;
  void (*prepare)(u8 *pool);  // not timed
  u32 (*run)(u32 n, u8 *pool);
} section;

extern const section integer_sections[], pointer_sections[], sse_sections[], packed_sections[], x87_sections[], system_sections[], memory_sections[],
  digest_sections[], gzip_sections[];

// runtime.c
extern const char *own_path;  // argv[0], for execve
long sys(long number, long a, long b, long c, long d);
u8 *map_memory(size_t bytes, int huge);
void unmap_memory(u8 *at, size_t bytes);
_Noreturn void exit_now(int status);
void print(const char *text);
void print_hex(u32 value);
int is_prefix(const char *prefix, const char *text);
u32 parse(const char *digits);
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

static inline u32 mix(u32 hash, u32 value) {
  hash ^= value;
  return (hash << 5 | hash >> 27) * 0x9e3779b1u;
}

static inline u32 mix_double(u32 hash, double value) {
  union {
    double number;
    u32 halves[2];
  } bits = {value};
  return mix(mix(hash, bits.halves[0]), bits.halves[1]);
}

static inline u32 next_random(u32 *state) {
  u32 x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

#ifdef __x86_64__
enum {
  SYS_read = 0, SYS_write = 1, SYS_open = 2, SYS_close = 3, SYS_lseek = 8, SYS_mmap = 9, SYS_munmap = 11, SYS_madvise = 28, SYS_pipe = 22,
  SYS_getpid = 39, SYS_fork = 57, SYS_execve = 59, SYS_exit = 60, SYS_wait4 = 61, SYS_unlink = 87, SYS_reboot = 169,
};
#else
enum {
  SYS_exit = 1, SYS_fork = 2, SYS_read = 3, SYS_write = 4, SYS_open = 5, SYS_close = 6, SYS_unlink = 10, SYS_execve = 11, SYS_lseek = 19,
  SYS_getpid = 20, SYS_pipe = 42, SYS_reboot = 88, SYS_mmap = 90, SYS_munmap = 91, SYS_wait4 = 114, SYS_madvise = 219,
};
#endif
