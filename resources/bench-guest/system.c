// What goes through the kernel: system calls, processes, pipes, page faults.
#include "guest.h"

enum { O_RDWR = 2, O_CREATE = 0100, O_TRUNCATE = 01000, PAGE = 4096 };

static u32 getpid_calls(u32 n, u8 *pool) {
  (void)pool;
  u32 same = 0;
  long first = sys(SYS_getpid, 0, 0, 0, 0);
  while (n-- > 0) same += sys(SYS_getpid, 0, 0, 0, 0) == first;
  return same;
}

static u32 read_write(u32 n, u8 *pool) {
  long zero = sys(SYS_open, (long)"/dev/zero", O_RDWR, 0, 0), null = sys(SYS_open, (long)"/dev/null", O_RDWR, 0, 0);
  u32 bytes = 0;
  while (n-- > 0) {
    bytes += (u32)sys(SYS_read, zero, (long)pool, 512, 0);
    bytes += (u32)sys(SYS_write, null, (long)pool, 512, 0);
  }
  sys(SYS_close, zero, 0, 0, 0);
  sys(SYS_close, null, 0, 0, 0);
  return bytes;
}

static u32 files(u32 n, u8 *pool) {
  u32 hash = 0;
  while (n-- > 0) {
    long file = sys(SYS_open, (long)"bench-file", O_RDWR | O_CREATE | O_TRUNCATE, 0600, 0);
    for (int i = 0; i < 4; i++) pool[0] = (u8)(n + (u32)i), hash = mix(hash, (u32)sys(SYS_write, file, (long)pool, PAGE, 0));
    sys(SYS_lseek, file, PAGE, 0, 0);
    hash = mix(hash, (u32)sys(SYS_read, file, (long)pool, PAGE, 0) + pool[0]);
    sys(SYS_close, file, 0, 0, 0);
    hash = mix(hash, (u32)sys(SYS_unlink, (long)"bench-file", 0, 0, 0));
  }
  return hash;
}

static u32 wait_for(long child) {
  i32 status = -1;
  sys(SYS_wait4, child, (long)&status, 0, 0);
  return (u32)status;
}

static u32 forks(u32 n, u8 *pool) {
  (void)pool;
  u32 hash = 0;
  while (n-- > 0) {
    long child = sys(SYS_fork, 0, 0, 0, 0);
    if (child == 0) exit_now((int)(n & 127));
    hash = mix(hash, wait_for(child));
  }
  return hash;
}

static u32 execs(u32 n, u8 *pool) {
  (void)pool;
  u32 hash = 0;
  while (n-- > 0) {
    char status[2] = {(char)('0' + n % 10), 0};
    const char *const arguments[] = {own_path, "exit", status, 0}, *const environment[] = {0};
    long child = sys(SYS_fork, 0, 0, 0, 0);
    if (child == 0) {
      sys(SYS_execve, (long)own_path, (long)arguments, (long)environment, 0);
      exit_now(99);
    }
    hash = mix(hash, wait_for(child));
  }
  return hash;
}

// A child process writes its own copy of pages that the parent holds.
static u32 copy_on_write(u32 n, u8 *pool) {
  enum { PAGES = 128 };
  u8 *pages = map_memory(PAGES * PAGE, 0);
  (void)pool;
  u32 hash = 0;
  for (u32 i = 0; i < PAGES; i++) pages[i * PAGE] = (u8)i;
  while (n-- > 0) {
    long child = sys(SYS_fork, 0, 0, 0, 0);
    if (child == 0) {
      u32 sum = 0;
      for (u32 i = 0; i < PAGES; i++) sum += ++pages[i * PAGE];
      exit_now((int)(sum & 127));
    }
    hash = mix(hash, wait_for(child) + pages[0]);
  }
  unmap_memory(pages, PAGES * PAGE);
  return hash;
}

typedef struct {
  i32 from, to;
} pipe_ends;

static pipe_ends make_pipe(void) {
  i32 ends[2] = {-1, -1};
  sys(SYS_pipe, (long)ends, 0, 0, 0);
  return (pipe_ends){ends[0], ends[1]};
}

static void close_pipe(pipe_ends it) {
  sys(SYS_close, it.from, 0, 0, 0);
  sys(SYS_close, it.to, 0, 0, 0);
}

// One byte to and fro between two processes.
static u32 ping_pong(u32 n, u8 *pool) {
  pipe_ends there = make_pipe(), back = make_pipe();
  (void)pool;
  long child = sys(SYS_fork, 0, 0, 0, 0);
  u8 byte = 0;
  if (child == 0) {
    while (n-- > 0 && sys(SYS_read, there.from, (long)&byte, 1, 0) == 1) byte = (u8)(byte * 5 + 1), sys(SYS_write, back.to, (long)&byte, 1, 0);
    exit_now(0);
  }
  u32 hash = 0;
  while (n-- > 0 && sys(SYS_write, there.to, (long)&byte, 1, 0) == 1 && sys(SYS_read, back.from, (long)&byte, 1, 0) == 1) hash = mix(hash, byte);
  hash = mix(hash, wait_for(child));
  close_pipe(there);
  close_pipe(back);
  return hash;
}

// Blocks of 32 KiB from a child to its parent.
static u32 stream(u32 n, u8 *pool) {
  enum { BLOCK = 32768 };
  pipe_ends way = make_pipe();
  long child = sys(SYS_fork, 0, 0, 0, 0);
  if (child == 0) {
    for (u32 i = 0; i < n; i++) {
      pool[0] = (u8)i;
      for (long sent = 0; sent < BLOCK;) {
        long bytes = sys(SYS_write, way.to, (long)pool + sent, BLOCK - sent, 0);
        if (bytes <= 0) exit_now(1);
        sent += bytes;
      }
    }
    exit_now(0);
  }
  u32 hash = 0;
  for (u32 i = 0; i < n; i++) {
    for (long got = 0; got < BLOCK;) {
      long bytes = sys(SYS_read, way.from, (long)pool + got, BLOCK - got, 0);
      if (bytes <= 0) return 0;
      got += bytes;
    }
    hash = mix(hash, pool[0]);
  }
  hash = mix(hash, wait_for(child));
  close_pipe(way);
  return hash;
}

static u32 page_faults(u32 n, u8 *pool) {
  enum { PAGES = 256 };
  (void)pool;
  u32 sum = 0;
  while (n-- > 0) {
    u8 *pages = map_memory(PAGES * PAGE, 0);
    for (u32 i = 0; i < PAGES; i++) sum += pages[i * PAGE]++ + i;
    unmap_memory(pages, PAGES * PAGE);
  }
  return sum;
}

const section system_sections[] = {
  {"system/getpid", 900000, 0, 0, getpid_calls},
  {"system/read-write", 220000, KIB(4), 0, read_write},
  {"system/files", 5000, KIB(4), 0, files},
  {"system/fork", 1600, 0, 0, forks},
  {"system/fork-exec", 600, 0, 0, execs},
  {"system/copy-on-write", 350, 0, 0, copy_on_write},
  {"system/pipe-ping-pong", 10000, 0, 0, ping_pong},
  {"system/pipe-stream", 6000, KIB(32), 0, stream},
  {"system/page-faults", 180, 0, 0, page_faults},
  {0, 0, 0, 0, 0},
};
