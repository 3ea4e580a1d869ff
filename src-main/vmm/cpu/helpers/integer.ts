/** Helpers of the integer meanings (core/integer/). */
import type { HelperTable } from './signature'

export const integerHelpers: HelperTable = {
  /** (high, low, divisor): quotient and remainder in SCRATCH and SCRATCH + 8; 0 when the quotient does not fit (or the divisor is 0). */
  divide_wide_unsigned: { params: ['i64', 'i64', 'i64'], result: 'i32' },
  divide_wide_signed: { params: ['i64', 'i64', 'i64'], result: 'i32' },
  /** (source segment, source offset, ES offset, address mask, elements wanted, element size): elements copied; 0: go element by element. */
  string_copy: { params: ['i32', 'i64', 'i64', 'i64', 'i64', 'i32'], result: 'i64' },
  /** (ES offset, address mask, elements wanted, element size): elements filled with the accumulator. */
  string_fill: { params: ['i64', 'i64', 'i64', 'i32'], result: 'i64' },
}
