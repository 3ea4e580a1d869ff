/** Numbers that must not be mixed up. All are plain JavaScript numbers at run time (integers, exact to 2^53). */
declare const brand: unique symbol
type Branded<Name extends string> = number & { readonly [brand]: Name }

/** Guest-physical address in bytes. */
export type Gpa = Branded<'Gpa'>
/** Offset in bytes from the start of the machine's WebAssembly memory. */
export type HostOffset = Branded<'HostOffset'>
/** Nanoseconds of virtual time since the machine was powered on. */
export type VmTime = Branded<'VmTime'>

export const gpa = (n: number): Gpa => n as Gpa
export const hostOffset = (n: number): HostOffset => n as HostOffset
export const vmTime = (n: number): VmTime => n as VmTime
