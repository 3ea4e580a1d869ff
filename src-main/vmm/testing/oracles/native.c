/*
 * The real processor as an oracle: runs machine code natively in user mode and reports what it left behind.
 *
 * Standard input:  Header, data image (DATA_PAGES), stack image, code pages, then cases.
 * Standard output: for each case a Result, followed by the 8-byte words of data and stack that changed.
 *
 * Everything happens inside one signal handler: a case ends by a fault (at the latest at the HLT that fills the code pages); the handler takes
 * the interrupted context as the result, writes the next case's registers (also x87/SSE state and code segment) into it and returns into it.
 * Keep the layout in step with oracles/native.ts.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <asm/ldt.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 0x1000 };

struct header {
  uint32_t magic, cases, code_pages, code_stride;
  uint64_t code_base, data_base, stack_base;
  uint32_t data_pages, data_writable_pages, stack_pages, data_limit, stack_limit, pad;
};

struct state {
  uint64_t gpr[16]; /* RAX RCX RDX RBX RSP RBP RSI RDI R8..R15 */
  uint64_t rip, rflags;
  uint32_t mode; /* 0: 64-bit code, 1: 32-bit, 2 + n: 16-bit in the n-th 64 KiB of code */
  uint32_t vector, error, words;
  uint64_t address;
  uint8_t fx[512];
};

struct word {
  uint32_t index, pad;
  uint64_t value;
};

static const int GREGS[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
enum { MAGIC = 0x4352434f, CS_64 = 0x33, CS_32 = 0x23, SS_USER = 0x2b, MXCSR_MASK_OFFSET = 28, FX_USED = 416, XSTATE_BV = 512 };
enum { NO_END_VECTOR = 0xff, TICK_MICROSECONDS = 50000 };

/* Local descriptors of 16-bit programs: code segments 0..3, data, stack. */
enum { CODE_SEGMENTS = 4, DATA_SEGMENT = 4, STACK_SEGMENT = 5, SEGMENT_BYTES = 0x10000, MODE_16 = 2 };
#define LDT_SELECTOR(n) ((n) << 3 | 7)

static struct header *header;
static struct state *cases;
static uint32_t current;
static int running;
static uint64_t *live_data, *live_stack, *image_data, *image_stack;
static uint8_t *output;
static size_t output_bytes, output_room;

static void die(const char *what) {
  perror(what);
  _exit(70);
}

static void emit(const void *bytes, size_t count) {
  if (output_bytes + count > output_room) {
    output_room = (output_bytes + count) * 2;
    output = realloc(output, output_room);
    if (!output) die("realloc");
  }
  memcpy(output + output_bytes, bytes, count);
  output_bytes += count;
}

static uint32_t emit_changes(uint64_t *live, uint64_t *image, uint32_t words, uint32_t first) {
  uint32_t changed = 0;
  for (uint32_t i = 0; i < words; i++) {
    if (live[i] == image[i]) continue;
    struct word word = {first + i, 0, live[i]};
    emit(&word, sizeof word);
    live[i] = image[i];
    changed++;
  }
  return changed;
}

static void save(ucontext_t *context) {
  greg_t *gregs = context->uc_mcontext.gregs;
  struct state result = {0};
  for (int i = 0; i < 16; i++) result.gpr[i] = gregs[GREGS[i]];
  result.rip = gregs[REG_RIP];
  result.rflags = gregs[REG_EFL];
  result.mode = cases[current].mode;
  result.vector = gregs[REG_TRAPNO];
  result.error = gregs[REG_ERR];
  result.address = gregs[REG_CR2];
  memcpy(result.fx, context->uc_mcontext.fpregs, sizeof result.fx);
  size_t at = output_bytes;
  emit(&result, sizeof result);
  uint32_t data_words = header->data_writable_pages * PAGE / 8;
  uint32_t words = emit_changes(live_data, image_data, data_words, 0);
  words += emit_changes(live_stack, image_stack, header->stack_pages * PAGE / 8, header->data_pages * PAGE / 8);
  ((struct state *)(output + at))->words = words;
}

static void load(ucontext_t *context, const struct state *state) {
  greg_t *gregs = context->uc_mcontext.gregs;
  for (int i = 0; i < 16; i++) gregs[GREGS[i]] = state->gpr[i];
  gregs[REG_RIP] = state->rip;
  gregs[REG_EFL] = state->rflags;
  int is16 = state->mode >= MODE_16;
  uint64_t code = is16 ? LDT_SELECTOR(state->mode - MODE_16) : state->mode == 1 ? CS_32 : CS_64;
  uint64_t stack = is16 ? LDT_SELECTOR(STACK_SEGMENT) : SS_USER;
  gregs[REG_CSGSFS] = (gregs[REG_CSGSFS] & 0x0000ffffffff0000) | code | stack << 48;
  /* 64-bit code ignores these */
  uint32_t data = is16 ? LDT_SELECTOR(DATA_SEGMENT) : SS_USER;
  __asm__ volatile("mov %0, %%ds; mov %0, %%es" ::"r"(data));
  uint8_t *area = (uint8_t *)context->uc_mcontext.fpregs;
  memcpy(area, state->fx, MXCSR_MASK_OFFSET);
  memcpy(area + MXCSR_MASK_OFFSET + 4, state->fx + MXCSR_MASK_OFFSET + 4, FX_USED - MXCSR_MASK_OFFSET - 4);
  *(uint64_t *)(area + XSTATE_BV) |= 3;
}

static void finish(void) {
  for (size_t done = 0; done < output_bytes;) {
    ssize_t n = write(1, output + done, output_bytes - done);
    if (n <= 0) die("write");
    done += n;
  }
  _exit(0);
}

static void handler(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info;
  if (running) {
    save(context);
    current++;
  }
  running = 1;
  if (current == header->cases) finish();
  load(context, &cases[current]);
}

/* A case that is still the same one at the second tick does not come to an end: it is cut off, with a vector of its own. */
static void tick(int signal, siginfo_t *info, void *context) {
  static uint32_t last = UINT32_MAX;
  if (!running) return;
  if (last == current) {
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_TRAPNO] = NO_END_VECTOR;
    handler(signal, info, context);
  }
  last = current;
}

static void make_segment(unsigned number, uint32_t base, uint32_t limit, unsigned contents) {
  struct user_desc descriptor = {.entry_number = number, .base_addr = base, .limit = limit, .contents = contents, .useable = 1};
  if (syscall(SYS_modify_ldt, 0x11, &descriptor, sizeof descriptor)) die("modify_ldt");
}

static void *map(uint64_t address, size_t bytes) {
  void *at = mmap((void *)address, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (at != (void *)address) die("mmap");
  return at;
}

static uint8_t *read_input(void) {
  size_t room = 1 << 20, used = 0;
  uint8_t *input = malloc(room);
  for (;;) {
    if (used == room) input = realloc(input, room *= 2);
    if (!input) die("input");
    ssize_t n = read(0, input + used, room - used);
    if (n < 0) die("read");
    if (n == 0) return input;
    used += n;
  }
}

int main(void) {
  uint8_t *input = read_input();
  header = (struct header *)input;
  if (header->magic != MAGIC) die("header");
  uint8_t *at = input + sizeof *header;
  size_t data_bytes = header->data_pages * PAGE, stack_bytes = header->stack_pages * PAGE;
  image_data = (uint64_t *)at;
  at += data_bytes;
  image_stack = (uint64_t *)at;
  at += stack_bytes;
  live_data = map(header->data_base, data_bytes);
  live_stack = map(header->stack_base, stack_bytes);
  memcpy(live_data, image_data, data_bytes);
  memcpy(live_stack, image_stack, stack_bytes);
  size_t read_only = (header->data_pages - header->data_writable_pages) * PAGE;
  if (mprotect((uint8_t *)live_data + data_bytes - read_only, read_only, PROT_READ)) die("mprotect");
  for (uint32_t i = 0; i < header->code_pages; i++, at += PAGE) {
    uint8_t *page = map(header->code_base + (uint64_t)i * header->code_stride, PAGE);
    memcpy(page, at, PAGE);
    if (mprotect(page, PAGE, PROT_READ | PROT_EXEC)) die("mprotect");
  }
  cases = (struct state *)at;

  for (unsigned i = 0; i < CODE_SEGMENTS; i++) make_segment(i, header->code_base + i * SEGMENT_BYTES, SEGMENT_BYTES - 1, MODIFY_LDT_CONTENTS_CODE);
  make_segment(DATA_SEGMENT, header->data_base, header->data_limit, MODIFY_LDT_CONTENTS_DATA);
  make_segment(STACK_SEGMENT, header->stack_base, header->stack_limit, MODIFY_LDT_CONTENTS_DATA);

  static uint8_t stack[1 << 17];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  if (sigaltstack(&alternate, 0)) die("sigaltstack");
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaddset(&action.sa_mask, SIGALRM);
  const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGBUS, SIGUSR1};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
  struct sigaction tick_action = {.sa_sigaction = tick, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&tick_action.sa_mask);
  sigaction(SIGALRM, &tick_action, 0);
  struct itimerval interval = {{0, TICK_MICROSECONDS}, {0, TICK_MICROSECONDS}};
  setitimer(ITIMER_REAL, &interval, 0);
  raise(SIGUSR1);
  return 73;
}
