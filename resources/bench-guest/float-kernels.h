// Double-precision kernels, compiled twice: sse.c and x87.c include this text with different compiler options. No function takes or returns a
// double, so that the ABI does not matter. Only operations that IEEE 754 defines exactly: every right engine gets the same bits.
#include "guest.h"

typedef struct {
  double position[3], velocity[3], mass;
} body;

static u32 nbody(u32 n, u8 *pool) {
  enum { BODIES = 5 };
  (void)pool;
  body bodies[BODIES] = {
    {{0, 0, 0}, {0, 0, 0}, 39.47},
    {{4.84, -1.16, -0.103}, {0.606, 2.81, -0.0252}, 0.0377},
    {{8.34, 4.12, -0.403}, {-1.01, 1.82, 0.0084}, 0.0113},
    {{12.89, -15.11, -0.223}, {1.08, 0.868, -0.0108}, 0.00172},
    {{15.37, -25.9, 0.179}, {0.979, 0.594, -0.0347}, 0.00203},
  };
  const double step = 0.01;
  while (n-- > 0) {
    for (int i = 0; i < BODIES; i++) {
      body *a = &bodies[i];
      for (int j = i + 1; j < BODIES; j++) {
        body *b = &bodies[j];
        double x = a->position[0] - b->position[0], y = a->position[1] - b->position[1], z = a->position[2] - b->position[2];
        double square = x * x + y * y + z * z;
        double pull = step / (square * __builtin_sqrt(square));
        a->velocity[0] -= x * b->mass * pull;
        a->velocity[1] -= y * b->mass * pull;
        a->velocity[2] -= z * b->mass * pull;
        b->velocity[0] += x * a->mass * pull;
        b->velocity[1] += y * a->mass * pull;
        b->velocity[2] += z * a->mass * pull;
      }
    }
    for (int i = 0; i < BODIES; i++)
      for (int k = 0; k < 3; k++) bodies[i].position[k] += step * bodies[i].velocity[k];
  }
  u32 hash = 0;
  for (int i = 0; i < BODIES; i++)
    for (int k = 0; k < 3; k++) hash = mix_double(mix_double(hash, bodies[i].position[k]), bodies[i].velocity[k]);
  return hash;
}

static u32 mandelbrot(u32 n, u8 *pool) {
  enum { WIDTH = 64, MOST = 100 };
  (void)pool;
  u32 hash = 0;
  for (u32 row = 0; row < n; row++) {
    double ci = (double)(i32)(row & 63) * (2.0 / 64) - 1.0;
    for (i32 column = 0; column < WIDTH; column++) {
      double cr = column * (3.0 / WIDTH) - 2.0, zr = 0, zi = 0;
      u32 turns = 0;
      while (turns < MOST && zr * zr + zi * zi < 4.0) {
        double next = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = next;
        turns++;
      }
      hash = mix(hash, turns);
    }
  }
  return hash;
}

static u32 matrix(u32 n, u8 *pool) {
  enum { SIZE = 48 };
  double(*a)[SIZE] = (void *)pool, (*b)[SIZE] = a + SIZE, (*c)[SIZE] = b + SIZE;
  for (i32 i = 0; i < SIZE; i++)
    for (i32 j = 0; j < SIZE; j++) a[i][j] = (i * 3 + j) * 0.125, b[i][j] = (i - j * 5) * 0.3;
  u32 hash = 0;
  while (n-- > 0) {
    for (int i = 0; i < SIZE; i++)
      for (int j = 0; j < SIZE; j++) {
        double sum = 0;
        for (int k = 0; k < SIZE; k++) sum += a[i][k] * b[k][j];
        c[i][j] = sum;
      }
    hash = mix_double(hash, c[n % SIZE][n * 7 % SIZE]);
    a[n % SIZE][n * 5 % SIZE] += 0.1;
  }
  return hash;
}
