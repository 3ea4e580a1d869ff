/** The library as the main process reports it. Keeps no truth of its own. */
import { computed, ref } from 'vue'
import { defineStore } from 'pinia'
import type { LibraryDto, LibraryFolder, VmCard } from '../../../src-main/ipc/contract'
import { answered, api } from '../api/client'

const EMPTY: LibraryDto = { machines: [], folders: [], recent: [], location: '', problems: [] }

export const useLibraryStore = defineStore('library', () => {
  const contents = ref<LibraryDto>(EMPTY)
  const loaded = ref(false)

  const machines = computed(() => contents.value.machines)
  /** Of the library proper: without those that were made on the command line. */
  const listed = computed(() => machines.value.filter(({ temporary }) => !temporary))
  const folders = computed(() => contents.value.folders)
  const byId = computed(() => new Map(machines.value.map((vm) => [vm.id, vm])))
  const recent = computed(() => contents.value.recent.flatMap((id) => byId.value.get(id) ?? []))

  async function load(): Promise<void> {
    api.events['library.changed']((next) => (contents.value = next))
    api.events['vm.changed']((card) => replace(card.id, () => card))
    api.events['vm.power-changed'](({ vm, power }) => replace(vm, (old) => ({ ...old, power })))
    contents.value = await answered(api.requests['library.contents']())
    loaded.value = true
  }

  /** A VM that a request has just answered with: known before the event that tells of it. */
  function put(card: VmCard): void {
    if (byId.value.has(card.id)) replace(card.id, () => card)
    else contents.value = { ...contents.value, machines: [...machines.value, card] }
  }

  function replace(id: string, next: (old: VmCard) => VmCard): void {
    contents.value = { ...contents.value, machines: machines.value.map((vm) => (vm.id === id ? next(vm) : vm)) }
  }

  function vm(id: string | undefined): VmCard | undefined {
    return id === undefined ? undefined : byId.value.get(id)
  }

  function folder(id: string | undefined): LibraryFolder | undefined {
    return folders.value.find((other) => other.id === id)
  }

  /** VMs in a folder and in those inside it. */
  function machinesIn(id: string): readonly VmCard[] {
    const inside = folders.value.filter(({ parent }) => parent === id).flatMap((child) => machinesIn(child.id))
    return [...listed.value.filter((other) => other.folder === id), ...inside]
  }

  return { contents, loaded, machines, listed, folders, recent, load, put, vm, folder, machinesIn }
})
