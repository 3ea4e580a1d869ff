// Compression as in gzip: LZ77 with hash chains over a 32 KiB window, then Huffman codes for literals and lengths and for distances
// (RFC 1951's tables; the codes' lengths stand in a plain header). And back.
#include "guest.h"

enum {
  INPUT = 131072, WINDOW = 32768, HASHES = 8192, CHAIN = 16, SHORTEST = 3, LONGEST = 258, SYMBOLS = 286, DISTANCES = 30, END = 256,
  MOST_BITS = 15,
};

typedef struct {
  u16 symbol, extra, distance;  // distance 0: a literal
} token;

typedef struct {
  u8 text[INPUT], packed[INPUT], unpacked[INPUT + LONGEST];
  token tokens[INPUT + 1];
  i32 heads[HASHES], previous[WINDOW];
  u32 packed_bytes;
  u16 fast[2][1 << MOST_BITS];  // by the next 15 bits: symbol << 4 | length of its code
} work;

static const u16 length_base[29] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const u8 length_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const u16 distance_base[30] = {1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
                                      6145, 8193, 12289, 16385, 24577};
static const u8 distance_bits[30] = {0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

static u32 code_of(const u16 *bases, u32 count, u32 value) {
  u32 low = 0, high = count;
  while (high - low > 1) {
    u32 middle = (low + high) >> 1;
    if (bases[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
}

static u32 hash_at(const u8 *at) {
  return ((u32)at[0] << 16 | (u32)at[1] << 8 | at[2]) * 2654435761u >> 19;
}

static u32 find_tokens(work *it) {
  u32 count = 0;
  for (u32 i = 0; i < HASHES; i++) it->heads[i] = -1;
  for (u32 at = 0; at < INPUT;) {
    u32 best = 0, where = 0;
    if (at + SHORTEST <= INPUT) {
      u32 most = INPUT - at < LONGEST ? INPUT - at : LONGEST;
      i32 candidate = it->heads[hash_at(it->text + at)];
      for (int tries = CHAIN; candidate >= 0 && at - (u32)candidate < WINDOW && tries > 0; tries--) {
        const u8 *a = it->text + candidate, *b = it->text + at;
        if (a[best] == b[best]) {
          u32 length = 0;
          while (length < most && a[length] == b[length]) length++;
          if (length > best) best = length, where = (u32)candidate;
          if (best == most) break;
        }
        candidate = it->previous[candidate & (WINDOW - 1)];
      }
    }
    u32 step = best >= SHORTEST ? best : 1;
    token *to = &it->tokens[count++];
    if (step == 1) *to = (token){it->text[at], 0, 0};
    else {
      u32 code = code_of(length_base, 29, best);
      *to = (token){(u16)(257 + code), (u16)(best - length_base[code]), (u16)(at - where)};
    }
    for (u32 end = at + step; at < end; at++) {
      if (at + SHORTEST > INPUT) continue;
      u32 hash = hash_at(it->text + at);
      it->previous[at & (WINDOW - 1)] = it->heads[hash];
      it->heads[hash] = (i32)at;
    }
  }
  it->tokens[count++] = (token){END, 0, 0};
  return count;
}

// Lengths of a Huffman code: the two rarest trees are joined until one is left; where a code grows too long the rare ones count for more.
static void code_lengths(const u32 *frequencies, u32 count, u8 *lengths) {
  u32 weight[2 * SYMBOLS], parent[2 * SYMBOLS], floor = 1;
  for (;; floor <<= 1) {
    u32 heap[SYMBOLS], size = 0, next = count, longest = 0;
    for (u32 i = 0; i < count; i++) {
      if (!frequencies[i]) continue;
      weight[i] = frequencies[i] < floor ? floor : frequencies[i];
      u32 at = size++;
      while (at > 0 && weight[heap[(at - 1) / 2]] > weight[i]) heap[at] = heap[(at - 1) / 2], at = (at - 1) / 2;
      heap[at] = i;
    }
    u32 root = size ? heap[0] : 0;
    while (size > 1) {
      u32 pair[2];
      for (int k = 0; k < 2; k++) {
        pair[k] = heap[0];
        u32 moved = heap[--size], at = 0;
        for (;;) {
          u32 child = 2 * at + 1;
          if (child >= size) break;
          if (child + 1 < size && weight[heap[child + 1]] < weight[heap[child]]) child++;
          if (weight[heap[child]] >= weight[moved]) break;
          heap[at] = heap[child];
          at = child;
        }
        heap[at] = moved;
      }
      root = next++;
      weight[root] = weight[pair[0]] + weight[pair[1]];
      parent[pair[0]] = parent[pair[1]] = root;
      u32 at = size++;
      while (at > 0 && weight[heap[(at - 1) / 2]] > weight[root]) heap[at] = heap[(at - 1) / 2], at = (at - 1) / 2;
      heap[at] = root;
    }
    for (u32 i = 0; i < count; i++) {
      u32 depth = 0;
      if (frequencies[i]) {
        for (u32 at = i; at != root; at = parent[at]) depth++;
        if (depth == 0) depth = 1;
      }
      lengths[i] = (u8)depth;
      if (depth > longest) longest = depth;
    }
    if (longest <= MOST_BITS) return;
  }
}

// Canonical codes, bits in the order in which they are sent (RFC 1951, 3.2.2).
static void make_codes(const u8 *lengths, u32 count, u16 *codes) {
  u32 counts[MOST_BITS + 1] = {0}, next[MOST_BITS + 1], code = 0;
  for (u32 i = 0; i < count; i++) counts[lengths[i]]++;
  counts[0] = 0;
  for (int bits = 1; bits <= MOST_BITS; bits++) next[bits] = code = (code + counts[bits - 1]) << 1;
  for (u32 i = 0; i < count; i++) {
    u32 value = lengths[i] ? next[lengths[i]]++ : 0, turned = 0;
    for (int bit = 0; bit < lengths[i]; bit++) turned = turned << 1 | (value >> bit & 1);
    codes[i] = (u16)turned;
  }
}

typedef struct {
  u8 *at;
  u32 bits, count;
} bit_stream;

static inline void put(bit_stream *to, u32 value, u32 count) {
  to->bits |= value << to->count;
  to->count += count;
  while (to->count >= 8) *to->at++ = (u8)to->bits, to->bits >>= 8, to->count -= 8;
}

static u32 compress(work *it) {
  u32 count = find_tokens(it);
  u32 symbol_count[SYMBOLS] = {0}, distance_count[DISTANCES] = {0};
  for (u32 i = 0; i < count; i++) {
    symbol_count[it->tokens[i].symbol]++;
    if (it->tokens[i].distance) distance_count[code_of(distance_base, DISTANCES, it->tokens[i].distance)]++;
  }
  u8 *lengths = it->packed, *distance_lengths = it->packed + SYMBOLS;
  u16 codes[SYMBOLS], distance_codes[DISTANCES];
  code_lengths(symbol_count, SYMBOLS, lengths);
  code_lengths(distance_count, DISTANCES, distance_lengths);
  make_codes(lengths, SYMBOLS, codes);
  make_codes(distance_lengths, DISTANCES, distance_codes);
  bit_stream to = {it->packed + SYMBOLS + DISTANCES, 0, 0};
  for (u32 i = 0; i < count; i++) {
    const token *token = &it->tokens[i];
    put(&to, codes[token->symbol], lengths[token->symbol]);
    if (!token->distance) continue;
    put(&to, token->extra, length_bits[token->symbol - 257]);
    u32 code = code_of(distance_base, DISTANCES, token->distance);
    put(&to, distance_codes[code], distance_lengths[code]);
    put(&to, token->distance - distance_base[code], distance_bits[code]);
  }
  put(&to, 0, 7);
  return it->packed_bytes = (u32)(to.at - it->packed);
}

static void make_fast(const u8 *lengths, u32 count, u16 *fast) {
  u16 codes[SYMBOLS];
  make_codes(lengths, count, codes);
  for (u32 i = 0; i < count; i++)
    if (lengths[i])
      for (u32 at = codes[i]; at < 1u << MOST_BITS; at += 1u << lengths[i]) fast[at] = (u16)(i << 4 | lengths[i]);
}

static inline u32 take(bit_stream *from, u32 count) {
  while (from->count < count) from->bits |= (u32)*from->at++ << from->count, from->count += 8;
  u32 value = from->bits & ((1u << count) - 1);
  from->bits >>= count;
  from->count -= count;
  return value;
}

static inline u32 take_symbol(bit_stream *from, const u16 *fast) {
  while (from->count < MOST_BITS) from->bits |= (u32)*from->at++ << from->count, from->count += 8;
  u32 found = fast[from->bits & ((1 << MOST_BITS) - 1)];
  from->bits >>= found & 15;
  from->count -= found & 15;
  return found >> 4;
}

static u32 decompress(work *it) {
  make_fast(it->packed, SYMBOLS, it->fast[0]);
  make_fast(it->packed + SYMBOLS, DISTANCES, it->fast[1]);
  bit_stream from = {it->packed + SYMBOLS + DISTANCES, 0, 0};
  u8 *to = it->unpacked;
  for (;;) {
    u32 symbol = take_symbol(&from, it->fast[0]);
    if (symbol < END) *to++ = (u8)symbol;
    else if (symbol == END) break;
    else {
      u32 length = length_base[symbol - 257] + take(&from, length_bits[symbol - 257]);
      u32 code = take_symbol(&from, it->fast[1]);
      u32 distance = distance_base[code] + take(&from, distance_bits[code]);
      for (; length > 0 && to < it->unpacked + INPUT; length--, to++) *to = to[-(i32)distance];
    }
  }
  return (u32)(to - it->unpacked);
}

// Sentences of made-up words; frequent ones are short.
static void make_text(u8 *pool) {
  work *it = (work *)pool;
  u32 random = 2026;
  for (u32 at = 0; at < INPUT;) {
    u32 pick = next_random(&random) & next_random(&random) & 1023, word = pick * 40503u + 1, length = 2 + (pick & 7);
    for (u32 i = 0; i < length && at < INPUT; i++, word = word * 69069 + 5) it->text[at++] = (u8)("etaoinshrdlucmfwyp"[(word >> 16) % 18]);
    if (at < INPUT) it->text[at++] = next_random(&random) % 11 ? ' ' : '\n';
  }
}

static void make_packed(u8 *pool) {
  make_text(pool);
  compress((work *)pool);
}

static u32 gzip(u32 n, u8 *pool) {
  work *it = (work *)pool;
  u32 hash = 0;
  while (n-- > 0) {
    hash = mix(hash, compress(it));
    it->text[n * 977 % INPUT] ^= 1;
  }
  for (u32 i = 0; i < it->packed_bytes; i++) hash = mix(hash, it->packed[i]);
  return hash;
}

static u32 gunzip(u32 n, u8 *pool) {
  work *it = (work *)pool;
  u32 hash = 0;
  while (n-- > 0) hash = mix(hash, decompress(it));
  for (u32 i = 0; i < INPUT; i++)
    if (it->unpacked[i] != it->text[i]) return 0;
  return hash;
}

const section gzip_sections[] = {
  {"memory/gzip", 80, sizeof(work), make_text, gzip},
  {"memory/gunzip", 320, sizeof(work), make_packed, gunzip},
  {0, 0, 0, 0, 0},
};
