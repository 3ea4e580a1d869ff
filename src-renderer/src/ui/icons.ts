/** Icons by what they mean. Power icons are drawn for this project on a grid of 20, with tones of the theme; the others are lucide's. */
import type { Component } from 'vue'
import {
  Activity, AppWindow, ArrowDown, ArrowLeft, ArrowRight, ArrowUp, BookOpen, Camera, Check, ChevronDown, ChevronLeft, ChevronRight, CircleAlert, CirclePause, CircleX, ClipboardPaste, Copy, Cpu, Disc3, FileCode,
  FileText, Folder, FolderOpen, FolderPlus, HardDrive, House, Info, Keyboard, Laptop, Lock, Maximize, MemoryStick, MessageSquareText, Monitor, Mouse, PanelBottom, PanelLeft, Pencil, Pin, PinOff, Plus, PlusCircle,
  Power, RotateCcw, Search, Settings, Shrink, SlidersHorizontal, SquareTerminal, Star, StretchHorizontal, Trash2, TriangleAlert, Unplug, X, Zap,
} from '@lucide/vue'

export interface IconPart {
  readonly d: string
  readonly tone?: 'go' | 'wait' | 'stop' | 'accent'
  /** Drawn as a line instead of filled. */
  readonly line?: boolean
}

const own = {
  'power-on': [{ d: 'M5.5 3.6a.8.8 0 0 1 1.2-.7l9.4 6.4a.85.85 0 0 1 0 1.4l-9.4 6.4a.8.8 0 0 1-1.2-.7z', tone: 'go' }],
  'reset': [{ d: 'M15.9 8.2A6.3 6.3 0 1 0 16.2 12', tone: 'accent', line: true }, { d: 'M17.2 3.8v5.3h-5.3z', tone: 'accent' }],
  'shut-down': [{ d: 'M6.4 5.2a6.3 6.3 0 1 0 7.2 0M10 2.6v7', tone: 'stop', line: true }],
  'power-off': [{ d: 'M4.9 4h10.2a.9.9 0 0 1 .9.9v10.2a.9.9 0 0 1-.9.9H4.9a.9.9 0 0 1-.9-.9V4.9a.9.9 0 0 1 .9-.9z', tone: 'stop' }],
  'translator': [{ d: 'M2.8 4.6h6m-6 3.6h4.4M2.8 11.8h3M17.2 8.2h-4.4m4.4 3.6h-3m3 3.6h-6', line: true }, { d: 'M9 6.4l2.6 3.6L9 13.6', line: true, tone: 'accent' }],
  suspend: [{ d: 'M5 3.5h3.2a.6.6 0 0 1 .6.6v11.8a.6.6 0 0 1-.6.6H5a.6.6 0 0 1-.6-.6V4.1a.6.6 0 0 1 .6-.6zm6.8 0H15a.6.6 0 0 1 .6.6v11.8a.6.6 0 0 1-.6.6h-3.2a.6.6 0 0 1-.6-.6V4.1a.6.6 0 0 1 .6-.6z', tone: 'wait' }],
  running: [{ d: 'M5.5 3.6a.8.8 0 0 1 1.2-.7l9.4 6.4a.85.85 0 0 1 0 1.4l-9.4 6.4a.8.8 0 0 1-1.2-.7z', tone: 'go' }],
} as const satisfies Record<string, readonly IconPart[]>

const lucide = {
  home: House, vm: Monitor, computer: Laptop, folder: Folder, 'folder-open': FolderOpen, 'folder-add': FolderPlus, star: Star, search: Search, close: X, add: Plus, create: PlusCircle, remove: Trash2, edit: Pencil,
  settings: Settings, options: SlidersHorizontal, library: PanelLeft, thumbnails: PanelBottom, 'full-screen': Maximize, 'leave-full-screen': Shrink, stretch: StretchHorizontal, console: AppWindow,
  terminal: SquareTerminal, keyboard: Keyboard, mouse: Mouse, camera: Camera, paste: ClipboardPaste, copy: Copy, memory: MemoryStick, processor: Cpu, disk: HardDrive, cdrom: Disc3, serial: SquareTerminal,
  display: Monitor, firmware: Zap, kernel: FileCode, file: FileText, log: MessageSquareText, performance: Activity, info: Info, help: BookOpen, warning: TriangleAlert, error: CircleX, alert: CircleAlert, lock: Lock,
  check: Check, up: ArrowUp, down: ArrowDown, left: ArrowLeft, right: ArrowRight, 'chevron-down': ChevronDown, 'chevron-right': ChevronRight, 'chevron-left': ChevronLeft, pin: Pin, unpin: PinOff, power: Power,
  restart: RotateCcw, pause: CirclePause, disconnect: Unplug,
} as const satisfies Record<string, Component>

export const icons: Readonly<Record<keyof typeof own | keyof typeof lucide, readonly IconPart[] | Component>> = { ...own, ...lucide }
export type IconName = keyof typeof icons

export function isOwn(icon: readonly IconPart[] | Component): icon is readonly IconPart[] {
  return Array.isArray(icon)
}
