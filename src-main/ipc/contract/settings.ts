/** vm.json as the settings dialog edits it: types only, the schema is the VMM's (manager/library/vm-json). */
export type { CdromJson, CpuModelJson, DiskJson, FirmwareJson, HardwareJson, KernelJson, OptionsJson, SerialPortJson, VmJson } from '../../vmm/manager/library/vm-json/types'
