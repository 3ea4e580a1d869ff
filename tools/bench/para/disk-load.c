/* Reads and writes a disk past the guest's cache, in large pieces one after the other and in 4 KiB pieces at random, one at a time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LARGE (1 << 20)
#define SMALL 4096

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec + at.tv_nsec / 1e9;
}

static int order(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int large = atoi(argv[2]), small = atoi(argv[3]);
  int file = open(argv[1], O_RDWR | O_DIRECT);
  void *buffer;
  if (file < 0 || posix_memalign(&buffer, SMALL, LARGE)) return 1;
  memset(buffer, 0x5a, LARGE);
  long long bytes = lseek(file, 0, SEEK_END);
  int pieces = bytes / LARGE, pages = bytes / SMALL;
  for (int writes = 0; writes < 2; writes++) {
    double start = now();
    for (int i = 0; i < large; i++) {
      long long at = (long long)(i % pieces) * LARGE;
      if ((writes ? pwrite(file, buffer, LARGE, at) : pread(file, buffer, LARGE, at)) != LARGE) return 1;
    }
    if (large > 0) printf("@%s %.3f\n", writes ? "sequential-write" : "sequential-read", large / (now() - start));
  }
  double *took = malloc(sizeof(double) * (small + 1));
  for (int writes = 0; writes < 2; writes++) {
    uint32_t seed = 12345;
    double start = now();
    for (int i = 0; i < small; i++) {
      seed = seed * 1664525 + 1013904223;
      long long at = (long long)((seed >> 8) % pages) * SMALL;
      double before = now();
      if ((writes ? pwrite(file, buffer, SMALL, at) : pread(file, buffer, SMALL, at)) != SMALL) return 1;
      took[i] = now() - before;
    }
    if (small == 0) continue;
    double total = now() - start;
    qsort(took, small, sizeof(double), order);
    const char *name = writes ? "random-write" : "random-read";
    printf("@%s %.1f\n@%s-median %.1f\n@%s-99 %.1f\n", name, small / total, name, took[small / 2] * 1e6, name, took[small * 99 / 100] * 1e6);
  }
  puts("@done 0");
  return 0;
}
