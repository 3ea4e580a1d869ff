/**
 * A region's function with a look before and after: tables hold WebAssembly functions only, so the look is a small module that calls back. One module a
 * process, one instance a region.
 */
import type { RegionFunction } from '../../code-cache/region'
import { encodeModule, type ImportedFunction } from '../../wasm/emit'
import { FunctionBuilder, verify } from '../../wasm/ir'

const imported = (name: string, params: ImportedFunction['params'], results: ImportedFunction['results']): ImportedFunction => ({ module: 'region', name, params, results })

let compiled: WebAssembly.Module | undefined

function observer(): WebAssembly.Module {
  if (compiled !== undefined) return compiled
  const before = imported('before', ['i32'], [])
  const region = imported('region', ['i32', 'i32'], ['i32'])
  const after = imported('after', ['i32', 'i32'], [])
  const b = new FunctionBuilder('observed', ['i32', 'i32'], ['i32'])
  b.callVoid(before, [b.param(0)])
  const status = b.call(region, [b.param(0), b.param(1)])
  b.callVoid(after, [b.param(0), status])
  b.return(status)
  verify(b)
  return (compiled = new WebAssembly.Module(encodeModule({ imports: [before, region, after], functions: [b], exports: [b] })))
}

export function observed(memory: WebAssembly.Memory, region: RegionFunction, before: (vcpu: number) => void, after: (vcpu: number, status: number) => void): RegionFunction {
  return new WebAssembly.Instance(observer(), { env: { memory }, region: { before, region, after } }).exports['observed'] as RegionFunction
}
