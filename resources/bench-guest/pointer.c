// Pointer chasing: lists that fit into a cache and lists that do not, and a search tree.
#include "guest.h"

typedef struct node node;
struct node {
  node *next;
  u32 value;
};

// One cycle through all cells of `stride` bytes in random order (Sattolo's shuffle).
static void make_cycle(u8 *pool, u32 count, u32 stride) {
  for (u32 i = 0; i < count; i++) {
    node *it = (node *)(pool + (size_t)i * stride);
    it->next = it;
    it->value = i * 2654435761u;
  }
  u32 random = 12345;
  for (u32 i = count - 1; i > 0; i--) {
    node *a = (node *)(pool + (size_t)i * stride), *b = (node *)(pool + (size_t)(next_random(&random) % i) * stride);
    node *swap = a->next;
    a->next = b->next;
    b->next = swap;
  }
}

static void make_small(u8 *pool) { make_cycle(pool, 256, 64); }
static void make_medium(u8 *pool) { make_cycle(pool, 8192, 64); }
static void make_large(u8 *pool) { make_cycle(pool, 262144, 128); }

static u32 chase(u32 n, u8 *pool) {
  u32 sum = 0;
  for (const node *it = (const node *)pool; n > 0; n--, it = it->next) sum += it->value;
  return sum;
}

typedef struct leaf leaf;
struct leaf {
  leaf *children[2];
  u32 key, count;
};

static u32 tree(u32 n, u8 *pool) {
  enum { LEAVES = 32768 };
  leaf *leaves = (leaf *)pool, *root = leaves;
  u32 used = 1, random = 4711, hash = 0;
  root->key = 0x80000000u;
  while (n-- > 0) {
    u32 key = next_random(&random) & ~0x1ffffu, depth = 0;
    leaf *it = root;
    while (it->key != key) {
      leaf **child = &it->children[key > it->key];
      if (!*child) {
        if (used == LEAVES) break;
        *child = &leaves[used++];
        (*child)->key = key;
      }
      it = *child;
      depth++;
    }
    hash = mix(hash, depth + it->count++);
  }
  return hash;
}

const section pointer_sections[] = {
  {"pointer/small", 180000000, KIB(16), make_small, chase},
  {"pointer/medium", 90000000, KIB(512), make_medium, chase},
  {"pointer/large", 4000000, MIB(32), make_large, chase},
  {"pointer/tree", 4000000, MIB(1), 0, tree},
  {0, 0, 0, 0, 0},
};
