/** The part of the WebAssembly JavaScript interface that the VMM uses; Node's types leave it to the DOM's, which the VMM must not see. */
declare namespace WebAssembly {
  interface MemoryDescriptor {
    readonly initial: number
    readonly maximum?: number
    readonly shared?: boolean
  }
  class Memory {
    constructor(descriptor: MemoryDescriptor)
    readonly buffer: SharedArrayBuffer
  }
  interface TableDescriptor {
    readonly element: 'anyfunc'
    readonly initial: number
    readonly maximum?: number
  }
  class Table {
    constructor(descriptor: TableDescriptor)
    readonly length: number
    grow(by: number): number
    get(index: number): ((...args: never[]) => unknown) | null
    set(index: number, value: ((...args: never[]) => unknown) | null): void
  }
  interface ModuleExportDescriptor {
    readonly name: string
    readonly kind: 'function' | 'table' | 'memory' | 'global'
  }
  interface ModuleImportDescriptor extends ModuleExportDescriptor {
    readonly module: string
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
    static exports(module: Module): ModuleExportDescriptor[]
    static imports(module: Module): ModuleImportDescriptor[]
  }
  type ImportValue = Memory | Table | ((...args: never[]) => unknown) | unknown
  class Instance {
    constructor(module: Module, imports?: Readonly<Record<string, Readonly<Record<string, ImportValue>>>>)
    readonly exports: Readonly<Record<string, unknown>>
  }
  function instantiate(bytes: Uint8Array<ArrayBuffer>, imports?: ConstructorParameters<typeof Instance>[1]): Promise<{ module: Module; instance: Instance }>
}
