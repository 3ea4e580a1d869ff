// The bench's guest: `bench run PERCENT PREFIX...` runs the sections whose names start with one of the prefixes (all without any), each with
// PERCENT of its work. It is /init of an initramfs, and runs as well as a plain program. What it prints is the protocol with the bench:
//   @init                  first thing
//   @begin NAME            the section's work starts
//   @end NAME CHECKSUM
//   @done                  last thing; as process 1 it then powers the machine off
// `bench ask` takes PERCENT and prefixes from its standard input instead, a line for each run, after saying @ask: a machine saved there needs
// no boot for the next measurement. `bench list` prints the names; `bench exit STATUS` only exits (system/fork-exec starts it). Arguments before the verb
// are the kernel's: it hands over what it does not know.
#include "guest.h"

static const section *const groups[] = {integer_sections, pointer_sections, sse_sections, packed_sections, x87_sections,
                                        system_sections,  memory_sections,  digest_sections, gzip_sections};
enum { GROUPS = sizeof groups / sizeof groups[0], PAGE = 4096 };

static int wanted(const char *name, int count, char **prefixes) {
  for (int i = 0; i < count; i++)
    if (is_prefix(prefixes[i], name)) return 1;
  return count <= 0;
}

static void run(const section *it, u32 percent) {
  u8 *pool = it->pool_bytes ? map_memory(it->pool_bytes, 1) : 0;
  for (size_t at = 0; at < it->pool_bytes; at += PAGE) ((volatile u8 *)pool)[at] = 0;
  if (it->prepare) it->prepare(pool);
  u32 n = it->n / 100 * percent + it->n % 100 * percent / 100;
  print("@begin ");
  print(it->name);
  print("\n");
  u32 checksum = it->run(n ? n : 1, pool);
  print("@end ");
  print(it->name);
  print(" ");
  print_hex(checksum);
  print("\n");
  if (pool) unmap_memory(pool, it->pool_bytes);
}

static void power_off(void) {
  sys(SYS_reboot, (long)0xfee1dead, 0x28121969, 0x4321fedc, 0);
}

static int same(const char *a, const char *b) {
  return is_prefix(a, b) && is_prefix(b, a);
}

static void run_all(u32 percent, int count, char **prefixes) {
  for (u32 i = 0; i < GROUPS; i++)
    for (const section *it = groups[i]; it->name; it++)
      if (wanted(it->name, count, prefixes)) run(it, percent);
}

static void list(void) {
  for (u32 i = 0; i < GROUPS; i++)
    for (const section *it = groups[i]; it->name; it++) {
      print(it->name);
      print("\n");
    }
}

static void ask(void) {
  for (;;) {
    static char line[256];
    char *words[16];
    int count = 0;
    print("@ask\n");
    long length = sys(SYS_read, 0, (long)line, sizeof line - 1, 0);
    if (length <= 0) return;
    for (char *at = line, *end = line + length; at < end; at++) {
      if (*at <= ' ') *at = 0;
      else if ((at == line || at[-1] == 0) && count < 16) words[count++] = at;
    }
    line[length] = 0;
    if (count > 0) run_all(parse(words[0]), count - 1, words + 1);
  }
}

int main(int count, char **arguments) {
  static const char *const verbs[] = {"run", "ask", "list", "exit"};
  const char *verb = "run", *number = "100";
  int at = 1;
  for (; at < count; at++)
    for (u32 i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
      if (same(arguments[at], verbs[i])) {
        verb = verbs[i];
        if (at + 1 < count) number = arguments[at + 1];
        goto found;
      }
found:
  if (same(verb, "exit")) return (int)parse(number);
  if (same(verb, "list")) {
    list();
    return 0;
  }
  print("@init\n");
  if (same(verb, "ask")) ask();
  else run_all(parse(number), count - at - 2, arguments + at + 2);
  print("@done\n");
  if (sys(SYS_getpid, 0, 0, 0, 0) == 1) power_off();
  return 0;
}
