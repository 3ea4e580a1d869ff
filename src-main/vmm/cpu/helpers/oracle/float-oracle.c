/*
 * Runs records of floating-point operations on the real processor: records on stdin, the same records with their results on stdout.
 * Each operation number means the same in test-entry.ts.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

struct record {
  uint32_t op, control, immediate, pad0;
  uint8_t a[16], b[16], result[16];
  uint32_t flags, fault, status, pad1;
  uint8_t x87[108];
  uint32_t pad2;
};

static sigjmp_buf back;
static volatile uint32_t fault_mxcsr;
static void on_fpe(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  ucontext_t *u = context;
  fault_mxcsr = u->uc_mcontext.fpregs->mxcsr;
  siglongjmp(back, 1);
}

/* xmm0 = a, xmm1 = b, eax = result of comparisons and conversions */
#define RUN(text)                                                                                                              \
  __asm__ volatile("movups %[a],%%xmm0\n movups %[b],%%xmm1\n mov %[g],%%rax\n ldmxcsr %[in]\n" text                              \
                   "\n stmxcsr %[out]\n ldmxcsr %[safe]\n movups %%xmm0,%[r]\n mov %%rax,%[rg]\n"                                 \
                   : [r] "=m"(r->result), [out] "=m"(out), [rg] "=m"(gpr)                                                        \
                   : [a] "m"(r->a), [b] "m"(r->b), [in] "m"(r->control), [safe] "m"(safe), [g] "m"(source)                        \
                   : "xmm0", "xmm1", "rax", "memory", "cc")
#define BINARY(n, name) case n: RUN(name " %%xmm1,%%xmm0"); break;
#define FLAGS(n, name) case n: RUN(name " %%xmm1,%%xmm0\n pushf\n pop %%rax"); is_flags = 1; break;
#define TO_GPR(n, name) case n: RUN(name " %%xmm1,%%rax"); is_gpr = 1; break;
#define TO_GPR32(n, name) case n: RUN(name " %%xmm1,%%eax\n cdqe"); is_gpr = 1; break;

#define R16(n, name) \
  case n: switch (r->immediate & 15) { \
  case 0: RUN(name " $0,%%xmm1,%%xmm0"); break; case 1: RUN(name " $1,%%xmm1,%%xmm0"); break; case 2: RUN(name " $2,%%xmm1,%%xmm0"); break; \
  case 3: RUN(name " $3,%%xmm1,%%xmm0"); break; case 4: RUN(name " $4,%%xmm1,%%xmm0"); break; case 5: RUN(name " $5,%%xmm1,%%xmm0"); break; \
  case 6: RUN(name " $6,%%xmm1,%%xmm0"); break; case 7: RUN(name " $7,%%xmm1,%%xmm0"); break; case 8: RUN(name " $8,%%xmm1,%%xmm0"); break; \
  case 9: RUN(name " $9,%%xmm1,%%xmm0"); break; case 10: RUN(name " $10,%%xmm1,%%xmm0"); break; case 11: RUN(name " $11,%%xmm1,%%xmm0"); break; \
  case 12: RUN(name " $12,%%xmm1,%%xmm0"); break; case 13: RUN(name " $13,%%xmm1,%%xmm0"); break; case 14: RUN(name " $14,%%xmm1,%%xmm0"); break; \
  case 15: RUN(name " $15,%%xmm1,%%xmm0"); break; } break;
#define R8(n, name) \
  case n: switch (r->immediate & 7) { \
  case 0: RUN(name " $0,%%xmm1,%%xmm0"); break; case 1: RUN(name " $1,%%xmm1,%%xmm0"); break; case 2: RUN(name " $2,%%xmm1,%%xmm0"); break; \
  case 3: RUN(name " $3,%%xmm1,%%xmm0"); break; case 4: RUN(name " $4,%%xmm1,%%xmm0"); break; case 5: RUN(name " $5,%%xmm1,%%xmm0"); break; \
  case 6: RUN(name " $6,%%xmm1,%%xmm0"); break; case 7: RUN(name " $7,%%xmm1,%%xmm0"); break; } break;
/* dot products with a few immediates */
#define DOT(n, name) \
  case n: switch (r->immediate & 3) { \
  case 0: RUN(name " $0xff,%%xmm1,%%xmm0"); break; case 1: RUN(name " $0x71,%%xmm1,%%xmm0"); break; \
  case 2: RUN(name " $0x3a,%%xmm1,%%xmm0"); break; case 3: RUN(name " $0xd6,%%xmm1,%%xmm0"); break; } break;

static void run_sse(struct record *r) {
  uint32_t out = 0, safe = 0x1f80;
  uint64_t gpr = 0, source;
  int is_flags = 0, is_gpr = 0;
  memcpy(&source, r->b, 8);
  if (sigsetjmp(back, 1)) {
    __asm__ volatile("ldmxcsr %0" ::"m"(safe));
    r->fault = 1;
    r->flags = fault_mxcsr;
    memset(r->result, 0, 16);
    r->status = 0;
    return;
  }
  switch (r->op) {
    BINARY(0, "addsd") BINARY(1, "subsd") BINARY(2, "mulsd") BINARY(3, "divsd") BINARY(4, "sqrtsd") BINARY(5, "minsd") BINARY(6, "maxsd")
    BINARY(10, "addss") BINARY(11, "subss") BINARY(12, "mulss") BINARY(13, "divss") BINARY(14, "sqrtss") BINARY(15, "minss") BINARY(16, "maxss")
    BINARY(20, "addpd") BINARY(21, "subpd") BINARY(22, "mulpd") BINARY(23, "divpd") BINARY(24, "sqrtpd") BINARY(25, "minpd") BINARY(26, "maxpd")
    BINARY(27, "addsubpd")
    BINARY(30, "addps") BINARY(31, "subps") BINARY(32, "mulps") BINARY(33, "divps") BINARY(34, "sqrtps") BINARY(35, "minps") BINARY(36, "maxps")
    BINARY(37, "addsubps")
    R8(40, "cmpsd") R8(41, "cmpss") R8(42, "cmppd") R8(43, "cmpps")
    FLAGS(50, "comisd") FLAGS(51, "comiss") FLAGS(52, "ucomisd") FLAGS(53, "ucomiss")
    TO_GPR(60, "cvtsd2siq") TO_GPR(61, "cvttsd2siq") TO_GPR(62, "cvtss2siq") TO_GPR(63, "cvttss2siq")
    TO_GPR32(64, "cvtsd2sil") TO_GPR32(65, "cvttsd2sil") TO_GPR32(66, "cvtss2sil") TO_GPR32(67, "cvttss2sil")
    case 70: RUN("cvtsi2sdq %%rax,%%xmm0"); break;
    case 71: RUN("cvtsi2ssq %%rax,%%xmm0"); break;
    BINARY(72, "cvtss2sd") BINARY(73, "cvtsd2ss")
    BINARY(80, "cvtdq2ps") BINARY(81, "cvtps2dq") BINARY(82, "cvttps2dq") BINARY(83, "cvtpd2dq") BINARY(84, "cvttpd2dq")
    BINARY(85, "cvtps2pd") BINARY(86, "cvtpd2ps")
    R16(90, "roundsd") R16(91, "roundss") R16(92, "roundpd") R16(93, "roundps")
    DOT(94, "dpps") DOT(95, "dppd")
  }
  r->fault = 0;
  r->flags = out;
  r->status = is_flags ? (uint32_t)gpr & 0x8d5 : 0;
  if (is_flags) memset(r->result, 0, 16);
  if (is_gpr) {
    memset(r->result, 0, 16);
    memcpy(r->result, &gpr, 8);
  }
}

#include "x87-oracle.h"

int main(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_fpe;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGFPE, &action, 0);
  struct record r;
  while (fread(&r, sizeof r, 1, stdin) == 1) {
    if (r.op < 1000) run_sse(&r);
    else run_x87(&r);
    fwrite(&r, sizeof r, 1, stdout);
  }
  return 0;
}
