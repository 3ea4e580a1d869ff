/** Features of an interface that can be switched off one by one. */
import { VmmError } from '../errors/vmm-error'

/** What is left of `all`. Throws for a name that is none. */
export function featuresLeft<T extends string>(hypervisor: string, all: readonly T[], disabled: readonly string[]): ReadonlySet<T> {
  const left = new Set(all)
  for (const name of disabled) {
    const found = all.find((feature) => feature === name)
    if (found === undefined || !left.delete(found)) {
      throw new VmmError('config/bad-option', `--paravirt ${hypervisor},${name}=off: ${hypervisor} has no such feature, or it is named twice; choose of ${all.join(', ')}`)
    }
  }
  return left
}
