/** Domain IDs (xen/include/public/xen.h). There are two: the guest, and we, who take the part of domain 0. */
export const BACKEND_DOMAIN = 0
export const GUEST_DOMAIN = 1
/** "The caller". */
export const DOMID_SELF = 0x7ff0

export function isSelf(domain: number): boolean {
  return domain === DOMID_SELF || domain === GUEST_DOMAIN
}
