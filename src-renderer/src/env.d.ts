/// <reference types="vite/client" />
import type { VitrineBridge } from '../../src-main/ipc/contract'

declare global {
  interface Window {
    readonly vitrine: VitrineBridge
  }
}
