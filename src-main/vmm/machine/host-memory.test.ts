import { totalmem } from 'node:os'
import { describe, expect, it } from 'vitest'
import { VmmError } from '../errors/vmm-error'
import { checkHostMemory } from './host-memory'

describe("the host's memory", () => {
  it('is a limit for guests', () => {
    expect(() => checkHostMemory(1024, 1024 * 0x100000)).not.toThrow()
    expect(() => checkHostMemory(1025, 1024 * 0x100000 + 0xfffff)).toThrow(VmmError)
    expect(() => checkHostMemory(3840, 2e9)).toThrow('--memory 3840: more than the 1907 MiB that this host has; choose less')
    expect(() => checkHostMemory(totalmem() / 0x100000 + 1)).toThrow('choose less')
  })
})
