/** Port input and output after io_check. */
import { COUNT_PIO, WATCH } from '../../layout-system'
import { pio_read, pio_write } from '../host'
import { check_io_breakpoints } from '../interrupt/debug'

const WATCH_IO = 0xf0000

function before(vcpu: usize, port: u32, bytes: i32): void {
  store<u64>(vcpu, load<u64>(vcpu, COUNT_PIO) + 1, COUNT_PIO)
  if (load<i32>(vcpu, WATCH) & WATCH_IO) check_io_breakpoints(vcpu, port, bytes)
}

export function io_read(vcpu: usize, port: u32, bytes: i32): u32 {
  port &= 0xffff
  before(vcpu, port, bytes)
  const value = pio_read(vcpu, port, bytes)
  return bytes == 4 ? value : value & ((1 << (bytes << 3)) - 1)
}

export function io_write(vcpu: usize, port: u32, bytes: i32, value: u32): void {
  port &= 0xffff
  before(vcpu, port, bytes)
  pio_write(vcpu, port, bytes, bytes == 4 ? value : value & ((1 << (bytes << 3)) - 1))
}
