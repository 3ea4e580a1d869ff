// Start of the process, system calls, and the few functions of a C library that are needed.
#include "guest.h"

void start(long *stack);

#ifdef __x86_64__
__asm__(".globl _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call start\n  hlt\n");

long sys(long number, long a, long b, long c, long d) {
  register long r10 __asm__("r10") = d;
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
}
#else
__asm__(
  ".globl _start\n_start:\n  mov %esp, %eax\n  and $-16, %esp\n  sub $12, %esp\n  push %eax\n  call start\n  hlt\n"
  "by_interrupt:\n  int $0x80\n  ret\n");

extern u8 by_interrupt[];
// As a C library does: through the kernel's own entry (AT_SYSINFO), which takes SYSENTER where the processor has it.
static void *kernel_entry = by_interrupt;

long sys(long number, long a, long b, long c, long d) {
  long result;
  __asm__ volatile("call *%[entry]" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), [entry] "m"(kernel_entry) : "memory");
  return result;
}
#endif

const char *own_path;
int main(int count, char **arguments);

void start(long *stack) {
  int count = (int)stack[0];
  char **arguments = (char **)(stack + 1);
  own_path = count > 0 ? arguments[0] : "/init";
#ifndef __x86_64__
  enum { AT_NULL = 0, AT_SYSINFO = 32 };
  long *at = stack + 1 + count + 1;
  while (*at) at++;
  for (at++; at[0] != AT_NULL; at += 2)
    if (at[0] == AT_SYSINFO) kernel_entry = (void *)at[1];
#endif
  exit_now(main(count, arguments));
}

enum { PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22, MADV_NOHUGEPAGE = 15 };

u8 *map_memory(size_t bytes, int huge) {
#ifdef __x86_64__
  register long r10 __asm__("r10") = MAP_PRIVATE_ANONYMOUS;
  register long r8 __asm__("r8") = -1;
  register long r9 __asm__("r9") = 0;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(SYS_mmap), "D"(0), "S"(bytes), "d"(PROT_READ_WRITE), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
#else
  long parameters[6] = {0, (long)bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0};
  long result = sys(SYS_mmap, (long)parameters, 0, 0, 0);
#endif
  if (result < 0 && result > -4096) {
    print("@failed mmap\n");
    exit_now(1);
  }
  if (!huge) sys(SYS_madvise, result, (long)bytes, MADV_NOHUGEPAGE, 0);
  return (u8 *)result;
}

void unmap_memory(u8 *at, size_t bytes) {
  sys(SYS_munmap, (long)at, (long)bytes, 0, 0);
}

_Noreturn void exit_now(int status) {
  for (;;) sys(SYS_exit, status, 0, 0, 0);
}

void print(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  while (length > 0) {
    long written = sys(SYS_write, 1, (long)text, (long)length, 0);
    if (written <= 0) return;
    text += written;
    length -= (size_t)written;
  }
}

void print_hex(u32 value) {
  char text[9];
  for (int i = 0; i < 8; i++) text[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
  text[8] = 0;
  print(text);
}

int is_prefix(const char *prefix, const char *text) {
  while (*prefix && *prefix == *text) prefix++, text++;
  return *prefix == 0;
}

u32 parse(const char *digits) {
  u32 value = 0;
  while (*digits >= '0' && *digits <= '9') value = value * 10 + (u32)(*digits++ - '0');
  return value;
}

void *memcpy(void *to, const void *from, size_t bytes) {
  u8 *target = to;
  const u8 *source = from;
  while (bytes-- > 0) *target++ = *source++;
  return to;
}

void *memset(void *to, int value, size_t bytes) {
  u8 *target = to;
  while (bytes-- > 0) *target++ = (u8)value;
  return to;
}
