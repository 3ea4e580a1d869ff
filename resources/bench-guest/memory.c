// Copying and filling: by loops of words and of 16 bytes, and by the string instructions.
#include "guest.h"

typedef i64 v16 __attribute__((vector_size(16)));

static u32 sum_of(const u8 *at, size_t bytes) {
  u32 hash = 0;
  for (size_t i = 0; i + 4 <= bytes; i += 64) hash = mix(hash, *(const u32 *)(at + i));
  return hash;
}

static void fill_random(u8 *pool, size_t bytes) {
  u32 random = 31;
  for (size_t i = 0; i < bytes; i += 4) *(u32 *)(pool + i) = next_random(&random);
}

static void fill_small(u8 *pool) { fill_random(pool, KIB(64)); }
static void fill_large(u8 *pool) { fill_random(pool, MIB(8)); }

static NEVER_INLINE void copy_words(size_t *to, const size_t *from, u32 words) {
  while (words-- > 0) *to++ = *from++;
}

// Short copies, as of structures and strings: 16 to 143 bytes at odd places.
static u32 copy_small(u32 n, u8 *pool) {
  u32 random = 5;
  while (n-- > 0) {
    u32 value = next_random(&random);
    copy_words((size_t *)(pool + (value & 0x7ff8)), (const size_t *)(pool + KIB(32) + (value >> 16 & 0x7ff9 & 0x7fff)), 2 + (value >> 8 & 15));
  }
  return sum_of(pool, KIB(32));
}

static u32 copy_large(u32 n, u8 *pool) {
  while (n-- > 0) {
    v16 *to = (v16 *)pool;
    const v16 *from = (const v16 *)(pool + MIB(4));
    for (u32 i = 0; i < MIB(4) / 16; i += 4) {
      v16 a = from[i], b = from[i + 1], c = from[i + 2], d = from[i + 3];
      to[i] = a, to[i + 1] = b, to[i + 2] = c, to[i + 3] = d;
    }
    pool[MIB(4) + n % MIB(4)] ^= (u8)n;
  }
  return sum_of(pool, MIB(4));
}

static void move_bytes(void *to, const void *from, size_t bytes) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static void move_words(void *to, const void *from, size_t words) {
  __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

static void store_words(void *to, u32 value, size_t words) {
  __asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(value) : "memory");
}

static void store_bytes(void *to, u32 value, size_t bytes) {
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
}

static u32 movs_small(u32 n, u8 *pool) {
  u32 random = 5;
  while (n-- > 0) {
    u32 value = next_random(&random);
    move_bytes(pool + (value & 0x7fff), pool + KIB(32) + (value >> 16 & 0x7f00), value >> 8 & 127);
    move_words(pool + (value & 0x7ff0), pool + KIB(32) + (value >> 16 & 0x7ff0 & 0x7e00), 16);
  }
  return sum_of(pool, KIB(32));
}

static u32 movs_large(u32 n, u8 *pool) {
  while (n-- > 0) {
    move_words(pool, pool + MIB(4), MIB(1));
    for (u32 page = 0; page < 1024; page++) move_words(pool + page * 4096, pool + MIB(4) + (page ^ 1) * 4096, 1024);
    pool[MIB(4) + n % MIB(4)] ^= (u8)n;
  }
  return sum_of(pool, MIB(4));
}

static u32 stos_small(u32 n, u8 *pool) {
  u32 random = 5;
  while (n-- > 0) {
    u32 value = next_random(&random);
    store_bytes(pool + (value & 0x7fff), value, value >> 8 & 127);
    store_words(pool + (value >> 16 & 0x7ffc), value, 16);
  }
  return sum_of(pool, KIB(32));
}

static u32 stos_large(u32 n, u8 *pool) {
  while (n-- > 0) {
    store_words(pool, n, MIB(1));
    for (u32 page = 0; page < 1024; page++) store_words(pool + page * 4096, n ^ page, 1024);
  }
  return sum_of(pool, MIB(4));
}

static u32 fill_loop(u32 n, u8 *pool) {
  while (n-- > 0) {
    v16 *to = (v16 *)pool, value = {n + 1, ~(i64)n};
    for (u32 i = 0; i < MIB(4) / 16; i += 4) to[i] = value, to[i + 1] = value, to[i + 2] = value, to[i + 3] = value;
  }
  return sum_of(pool, MIB(4));
}

const section memory_sections[] = {
  {"memory/copy-small", 12000000, KIB(128), fill_small, copy_small},
  {"memory/copy-large", 160, MIB(8), fill_large, copy_large},
  {"memory/movs-small", 4000000, KIB(128), fill_small, movs_small},
  {"memory/movs-large", 30, MIB(8), fill_large, movs_large},
  {"memory/fill-large", 1000, MIB(4), 0, fill_loop},
  {"memory/stos-small", 6000000, KIB(128), 0, stos_small},
  {"memory/stos-large", 250, MIB(4), 0, stos_large},
  {0, 0, 0, 0, 0},
};
