// Packed SSE and SSE2 by the compiler's vector types.
#include "guest.h"

typedef double v2d __attribute__((vector_size(16)));
typedef float v4f __attribute__((vector_size(16)));
typedef i64 v2i __attribute__((vector_size(16)));
typedef i32 v4i __attribute__((vector_size(16)));

static u32 mandelbrot(u32 n, u8 *pool) {
  enum { WIDTH = 64, MOST = 100 };
  (void)pool;
  u32 hash = 0;
  for (u32 row = 0; row < n; row++) {
    double y = (double)(i32)(row & 63) * (2.0 / 64) - 1.0;
    for (i32 column = 0; column < WIDTH; column += 2) {
      v2d ci = {y, y}, cr = {column * (3.0 / WIDTH) - 2.0, (column + 1) * (3.0 / WIDTH) - 2.0}, zr = {0, 0}, zi = {0, 0};
      v2i turns = {0, 0};
      for (u32 turn = 0; turn < MOST; turn++) {
        v2d rr = zr * zr, ii = zi * zi;
        v2i inside = rr + ii < (v2d){4, 4};
        if (!(inside[0] | inside[1])) break;
        turns -= inside;
        zi = (zr + zr) * zi + ci;
        zr = rr - ii + cr;
      }
      hash = mix(mix(hash, (u32)turns[0]), (u32)turns[1]);
    }
  }
  return hash;
}

static u32 matrix(u32 n, u8 *pool) {
  enum { SIZE = 48, PAIRS = SIZE / 2 };
  double(*a)[SIZE] = (void *)pool;
  v2d(*b)[PAIRS] = (void *)(a + SIZE), (*c)[PAIRS] = b + SIZE;
  for (i32 i = 0; i < SIZE; i++)
    for (i32 j = 0; j < SIZE; j++) a[i][j] = (i * 3 + j) * 0.125, ((double *)b[i])[j] = (i - j * 5) * 0.3;
  u32 hash = 0;
  while (n-- > 0) {
    for (int i = 0; i < SIZE; i++)
      for (int j = 0; j < PAIRS; j += 4) {
        v2d s0 = {0, 0}, s1 = s0, s2 = s0, s3 = s0;
        for (int k = 0; k < SIZE; k++) {
          v2d factor = {a[i][k], a[i][k]};
          s0 += factor * b[k][j];
          s1 += factor * b[k][j + 1];
          s2 += factor * b[k][j + 2];
          s3 += factor * b[k][j + 3];
        }
        c[i][j] = s0, c[i][j + 1] = s1, c[i][j + 2] = s2, c[i][j + 3] = s3;
      }
    hash = mix_double(hash, ((double *)c[n % SIZE])[n * 7 % SIZE]);
    a[n % SIZE][n * 5 % SIZE] += 0.1;
  }
  return hash;
}

// Single precision: four samples of a filter at a time, with conversions to and from integers.
static u32 filter(u32 n, u8 *pool) {
  enum { SAMPLES = 4096 };
  i32 *samples = (i32 *)pool;
  for (i32 i = 0; i < SAMPLES; i++) samples[i] = i * 37 % 2001 - 1000;
  u32 hash = 0;
  while (n-- > 0) {
    v4f last = {0, 0, 0, 0}, peak = last;
    for (u32 i = 0; i < SAMPLES; i += 4) {
      v4f now = __builtin_convertvector(*(v4i *)(samples + i), v4f);
      v4f shifted = __builtin_shuffle(last, now, (v4i){3, 4, 5, 6});
      v4f out = now * 0.75f + shifted * 0.25f - peak * 0.001f;
      v4i louder = out > peak;
      peak = (v4f)(((v4i)out & louder) | ((v4i)peak & ~louder));
      last = now;
      *(v4i *)(samples + i) = __builtin_convertvector(out, v4i) + (v4i){1, -1, 2, -2};
    }
    hash = mix(hash, (u32)samples[n * 13 % SAMPLES]);
  }
  return hash;
}

const section packed_sections[] = {
  {"sse/mandelbrot-packed", 9000, 0, 0, mandelbrot},
  {"sse/matrix-packed", 800, KIB(64), 0, matrix},
  {"sse/filter-packed", 5500, KIB(16), 0, filter},
  {0, 0, 0, 0, 0},
};
