/** Errors as the store tells them, by name (xen/include/public/io/xs_wire.h, xsd_errors). */
export type StoreErrno = 'EINVAL' | 'EACCES' | 'EEXIST' | 'ENOENT' | 'ENOSPC' | 'ENOSYS' | 'EBUSY' | 'EAGAIN' | 'E2BIG'

export class StoreError extends Error {
  constructor(readonly errno: StoreErrno) {
    super(errno)
  }
}

export function fail(errno: StoreErrno): never {
  throw new StoreError(errno)
}
