/** How hypercalls fail: numbers of xen/include/public/errno.h, returned negated in RAX. */
export const EPERM = 1
export const ENOENT = 2
export const ESRCH = 3
export const E2BIG = 7
export const ENOMEM = 12
export const EFAULT = 14
export const EBUSY = 16
export const EEXIST = 17
export const EINVAL = 22
export const ENOSPC = 28
export const ENOSYS = 38
export const ENODATA = 61
export const ETIME = 62
export const EOPNOTSUPP = 95

/** Ends a hypercall with an error for the guest. */
export class XenError extends Error {
  constructor(readonly errno: number) {
    super(`errno ${errno}`)
  }
}

export function refuse(errno: number): never {
  throw new XenError(errno)
}
