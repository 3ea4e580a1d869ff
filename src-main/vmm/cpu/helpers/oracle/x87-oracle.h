/*
 * x87 operations. Initial state: TOP = 3, ST(0) = a, ST(1) = b, the rest empty; immediate bit 8: ST(0) empty, bit 9: ST(1) empty, bit 10: all
 * registers in use; bits 16..31: status word's condition codes and flags. The state afterwards (FNSAVE, pointers cleared) is left in x87.
 */
struct __attribute__((packed)) fsave {
  uint32_t control, status, tags, pointers[4];
  uint8_t registers[8][10];
};

#define X87(text) __asm__ volatile(text : [m] "+m"(memory) : [in] "m"(operand) : "memory", "cc", "st")
#define X87_FLAGS(text) __asm__ volatile("pushf\n" text "\n pushf\n pop %0\n popf" : "=r"(eflags) : : "memory", "cc")

static void run_x87(struct record *r) {
  struct fsave state;
  memset(&state, 0, sizeof state);
  state.control = r->control | 0xffff0000;
  state.status = (3 << 11) | ((r->immediate >> 16) & 0x477f) | 0xffff0000;
  uint32_t tags = 0xffff;
  if (r->immediate & 0x400) tags = 0;
  if (!(r->immediate & 0x100)) tags &= ~(3u << 6);
  if (!(r->immediate & 0x200)) tags &= ~(3u << 8);
  state.tags = tags | 0xffff0000;
  for (int i = 0; i < 8; i++) memset(state.registers[i], 0x11 * (i + 1), 10);
  memcpy(state.registers[0], r->a, 10);
  memcpy(state.registers[1], r->b, 10);
  struct { uint8_t bytes[16]; } memory, operand;
  memset(&memory, 0xaa, 16);
  memcpy(&operand, r->b, 16);
  uint64_t eflags = 0;
  __asm__ volatile("frstor %0" : : "m"(state));
  switch (r->op) {
    case 1000: X87("fadd %%st(1),%%st"); break;
    case 1001: X87("fmul %%st(1),%%st"); break;
    case 1004: X87("fsub %%st(1),%%st"); break;
    case 1005: X87("fsubr %%st(1),%%st"); break;
    case 1006: X87("fdiv %%st(1),%%st"); break;
    case 1007: X87("fdivr %%st(1),%%st"); break;
    case 1010: X87("fsqrt"); break;
    case 1011: X87("frndint"); break;
    case 1012: X87("fscale"); break;
    case 1013: X87("fxtract"); break;
    case 1014: X87("fprem"); break;
    case 1015: X87("fprem1"); break;
    case 1016: X87("fcom %%st(1)"); break;
    case 1017: X87("fucomp %%st(1)"); break;
    case 1018: X87("ftst"); break;
    case 1019: X87("fxam"); break;
    case 1020: X87("fchs"); break;
    case 1021: X87_FLAGS("fcomi %%st(1),%%st"); break;
    case 1022: X87_FLAGS("fucomip %%st(1),%%st"); break;
    case 1023: X87("fxch %%st(1)"); break;
    case 1024: X87("fstp %%st(1)"); break;
    case 1025: X87("fld %%st(1)"); break;
    case 1026: X87("fincstp"); break;
    case 1027: X87("faddp %%st,%%st(1)"); break;
    case 1028: X87("fcompp"); break;
    case 1030: X87("fsts %[m]"); break;
    case 1031: X87("fstpl %[m]"); break;
    case 1032: X87("fstpt %[m]"); break;
    case 1033: X87("fistps %[m]"); break;
    case 1034: X87("fistpl %[m]"); break;
    case 1035: X87("fistpll %[m]"); break;
    case 1036: X87("fisttpll %[m]"); break;
    case 1037: X87("fbstp %[m]"); break;
    case 1040: X87("flds %[in]"); break;
    case 1041: X87("fldl %[in]"); break;
    case 1042: X87("fadds %[in]"); break;
    case 1043: X87("faddl %[in]"); break;
    case 1044: X87("fdivrl %[in]"); break;
    case 1045: X87("fcoml %[in]"); break;
    case 1046: X87("fiaddl %[in]"); break;
    case 1047: X87("fildll %[in]"); break;
    case 1048: X87("fbld %[in]"); break;
    case 1049: X87("fldt %[in]"); break;
    case 1050: X87("f2xm1"); break;
    case 1051: X87("fyl2x"); break;
    case 1052: X87("fyl2xp1"); break;
    case 1053: X87("fpatan"); break;
    case 1054: X87("fptan"); break;
    case 1055: X87("fsin"); break;
    case 1056: X87("fcos"); break;
    case 1057: X87("fsincos"); break;
    case 1060: X87("fld1"); break;
    case 1061: X87("fldl2t"); break;
    case 1062: X87("fldl2e"); break;
    case 1063: X87("fldpi"); break;
    case 1064: X87("fldlg2"); break;
    case 1065: X87("fldln2"); break;
    case 1066: X87("fldz"); break;
  }
  __asm__ volatile("fnsave %0" : "=m"(state));
  memset(state.pointers, 0, sizeof state.pointers);
  memcpy(r->x87, &state, 108);
  memcpy(r->result, &memory, 16);
  r->status = (uint32_t)eflags & 0x8d5;
  r->flags = r->fault = 0;
}
