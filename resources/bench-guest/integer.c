// Integer code: tables, sorting, bits, calls, indirect jumps and calls, hashing, strings, wide arithmetic.
#include "guest.h"

static u32 crc(u32 n, u8 *pool) {
  u32 table[256];
  for (u32 i = 0; i < 256; i++) {
    u32 value = i;
    for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
    table[i] = value;
  }
  for (u32 i = 0; i < KIB(64); i++) pool[i] = (u8)(i * 7 + (i >> 8));
  u32 hash = ~0u;
  while (n-- > 0)
    for (u32 i = 0; i < KIB(64); i++) hash = table[(u8)(hash ^ pool[i])] ^ hash >> 8;
  return ~hash;
}

static void quick_sort(i32 *from, i32 *to) {
  while (to - from > 8) {
    i32 pivot = from[(to - from) >> 1];
    i32 *low = from, *high = to - 1;
    for (;;) {
      while (*low < pivot) low++;
      while (*high > pivot) high--;
      if (low >= high) break;
      i32 swap = *low;
      *low++ = *high;
      *high-- = swap;
    }
    quick_sort(from, low);
    from = low;
  }
  for (i32 *at = from + 1; at < to; at++) {
    i32 value = *at, *hole = at;
    while (hole > from && hole[-1] > value) hole[0] = hole[-1], hole--;
    *hole = value;
  }
}

static u32 sort(u32 n, u8 *pool) {
  enum { COUNT = 20000 };
  i32 *numbers = (i32 *)pool;
  u32 random = 1, hash = 0;
  while (n-- > 0) {
    for (u32 i = 0; i < COUNT; i++) numbers[i] = (i32)next_random(&random);
    quick_sort(numbers, numbers + COUNT);
    for (u32 i = 0; i < COUNT; i += 1000) hash = mix(hash, (u32)numbers[i]);
  }
  return hash;
}

static u32 sieve(u32 n, u8 *pool) {
  enum { LIMIT = 500000 };
  u32 count = 0;
  while (n-- > 0) {
    for (u32 i = 0; i < LIMIT; i++) pool[i] = 1;
    for (u32 i = 2; i * i < LIMIT; i++)
      if (pool[i])
        for (u32 j = i * i; j < LIMIT; j += i) pool[j] = 0;
    for (u32 i = 2; i < LIMIT; i++) count += pool[i];
  }
  return count;
}

static u32 matrix(u32 n, u8 *pool) {
  enum { SIZE = 64 };
  i32(*a)[SIZE] = (void *)pool, (*b)[SIZE] = a + SIZE, (*c)[SIZE] = b + SIZE;
  for (i32 i = 0; i < SIZE; i++)
    for (i32 j = 0; j < SIZE; j++) a[i][j] = i * 3 + j, b[i][j] = i - j * 5;
  u32 hash = 0;
  while (n-- > 0) {
    for (int i = 0; i < SIZE; i++)
      for (int j = 0; j < SIZE; j++) {
        i32 sum = 0;
        for (int k = 0; k < SIZE; k++) sum += a[i][k] * b[k][j];
        c[i][j] = sum;
      }
    hash = mix(hash, (u32)c[n & 63][n >> 3 & 63]);
    a[n & 63][n >> 6 & 63] ^= c[n >> 2 & 63][n & 63];
  }
  return hash;
}

static NEVER_INLINE u32 fibonacci(u32 n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static u32 calls(u32 n, u8 *pool) {
  (void)pool;
  u32 sum = 0;
  while (n-- > 0) sum += fibonacci(20 + (n & 3));
  return sum;
}

// Words of a text are counted in an open hash table, as a compiler or an interpreter does with its names.
typedef struct {
  char word[12];
  u32 count;
} entry;

static NEVER_INLINE int same_word(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static u32 hash_table(u32 n, u8 *pool) {
  enum { SLOTS = 16384 };
  entry *table = (entry *)pool;
  u32 random = 99, hash = 0;
  while (n-- > 0) {
    char word[12];
    u32 value = next_random(&random) % 9973 * 7919u, length = 0, key = 5381;
    do {
      word[length++] = (char)('a' + value % 26);
      value /= 26;
    } while (value);
    word[length] = 0;
    for (u32 i = 0; i < length; i++) key = key * 33 ^ (u8)word[i];
    u32 slot = key % SLOTS;
    while (table[slot].count && !same_word(table[slot].word, word)) slot = (slot + 1) % SLOTS;
    if (!table[slot].count)
      for (u32 i = 0; i <= length; i++) table[slot].word[i] = word[i];
    hash = mix(hash, ++table[slot].count);
  }
  return hash;
}

// Numbers become text, the text is taken apart again, substrings are looked for.
static NEVER_INLINE u32 length_of(const char *text) {
  const char *at = text;
  while (*at) at++;
  return (u32)(at - text);
}

static NEVER_INLINE char *append(char *to, u32 value) {
  char digits[10];
  int count = 0;
  do digits[count++] = (char)('0' + value % 10);
  while (value /= 10);
  while (count > 0) *to++ = digits[--count];
  return to;
}

static u32 strings(u32 n, u8 *pool) {
  char *text = (char *)pool;
  u32 random = 7, hash = 0;
  while (n-- > 0) {
    char *to = text;
    for (int i = 0; i < 100; i++) {
      to = append(to, next_random(&random) >> (i & 15));
      *to++ = i % 10 == 9 ? '\n' : ',';
    }
    *to = 0;
    u32 number = 0;
    for (const char *at = text; *at; at++) {
      if (*at >= '0' && *at <= '9') number = number * 10 + (u32)(*at - '0');
      else hash = mix(hash, number), number = 0;
    }
    for (const char *at = text; *at; at++)
      if (at[0] == '7' && is_prefix("77", at)) hash++;
    hash = mix(hash, length_of(text));
  }
  return hash;
}

// A small byte-code machine: a jump through a table for each of its instructions.
enum { PUSH, ADD, SUB, XOR, DUP, SWAP, LOAD, STORE, JUMP_NOT_ZERO, SHIFT, HALT };

static NEVER_INLINE u32 run_code(const u8 *code, u32 *variables) {
  u32 stack[16], *top = stack;
  for (const u8 *at = code;;) {
    switch (*at++) {
      case PUSH: *++top = *at++; break;
      case ADD: top--; top[0] += top[1]; break;
      case SUB: top--; top[0] -= top[1]; break;
      case XOR: top--; top[0] ^= top[1]; break;
      case DUP: top[1] = top[0]; top++; break;
      case SWAP: { u32 swap = top[0]; top[0] = top[-1]; top[-1] = swap; break; }
      case LOAD: *++top = variables[*at++]; break;
      case STORE: variables[*at++] = *top--; break;
      case JUMP_NOT_ZERO: { u8 back = *at++; if (*top--) at -= back; break; }
      case SHIFT: { u8 by = *at++; *top = *top << by | *top >> (32 - by); break; }
      case HALT: return *top;
    }
  }
}

static u32 bytecode(u32 n, u8 *pool) {
  // v1 = rotate(v1 ^ v0, 5) + 77 - v2; v2 = v1 + v0; v0 = v0 - 1; until v0 is 0
  static const u8 code[] = {LOAD, 1, LOAD, 0, XOR, SHIFT, 5, PUSH, 77, ADD, LOAD, 2, SUB, DUP, STORE, 1, LOAD, 0, SWAP, ADD, STORE, 2,
                            LOAD, 0, PUSH, 1, SUB, DUP, STORE, 0, JUMP_NOT_ZERO, 32, LOAD, 1, HALT};
  (void)pool;
  u32 variables[3] = {0, 1, 2}, hash = 0;
  while (n-- > 0) {
    variables[0] = 1000;
    hash = mix(hash, run_code(code, variables));
  }
  return hash;
}

// Methods called through tables of functions, and functions handed to functions.
typedef struct shape shape;
struct shape {
  u32 (*area)(const shape *);
  void (*grow)(shape *, u32);
  u32 width, height;
};
static u32 box_area(const shape *it) { return it->width * it->height; }
static u32 triangle_area(const shape *it) { return it->width * it->height >> 1; }
static u32 frame_area(const shape *it) { return 2 * (it->width + it->height) - 4; }
static u32 line_area(const shape *it) { return it->width; }
static void grow_both(shape *it, u32 by) { it->width += by, it->height += by; }
static void grow_width(shape *it, u32 by) { it->width += by; }

static u32 virtual_calls(u32 n, u8 *pool) {
  enum { SHAPES = 64 };
  static u32 (*const areas[])(const shape *) = {box_area, triangle_area, frame_area, line_area};
  shape *shapes = (shape *)pool;
  for (u32 i = 0; i < SHAPES; i++) shapes[i] = (shape){areas[i * 7 >> 2 & 3], i % 3 ? grow_both : grow_width, i + 1, i * 2 + 1};
  u32 hash = 0;
  while (n-- > 0)
    for (u32 i = 0; i < SHAPES; i++) {
      hash = mix(hash, shapes[i].area(&shapes[i]));
      shapes[i].grow(&shapes[i], n & 3);
    }
  return hash;
}

// 64-bit arithmetic: on i386, pairs of registers with carry.
static u32 wide(u32 n, u8 *pool) {
  (void)pool;
  u64 a = 0x123456789abcdefull, b = 0xfedcba9876543211ull, sum = 0;
  while (n-- > 0) {
    a = a * 6364136223846793005ull + 1442695040888963407ull;
    b ^= b << 23;
    b ^= b >> 18 ^ a >> 5;
    sum += (a ^ b) + (a >> 33) * (u32)b;
    sum = sum << 7 | sum >> 57;
    if ((i64)sum < 0) sum -= b;
  }
  return (u32)(sum ^ sum >> 32);
}

const section integer_sections[] = {
  {"integer/crc", 2000, KIB(64), 0, crc},
  {"integer/sort", 400, KIB(128), 0, sort},
  {"integer/sieve", 250, KIB(512), 0, sieve},
  {"integer/matrix", 1200, KIB(64), 0, matrix},
  {"integer/calls", 3000, 0, 0, calls},
  {"integer/hash-table", 8000000, KIB(256), 0, hash_table},
  {"integer/strings", 35000, KIB(16), 0, strings},
  {"integer/bytecode", 2500, 0, 0, bytecode},
  {"integer/virtual-calls", 300000, KIB(4), 0, virtual_calls},
  {"integer/wide", 30000000, 0, 0, wide},
  {0, 0, 0, 0, 0},
};
