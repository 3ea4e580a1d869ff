/** What the user prefers, for all windows and VMs; kept in a file of the app's. Every key has a default, unknown ones are kept. */
import { z } from 'zod'

export const LANGUAGES = ['system', 'en', 'zh-CN'] as const
export const THEMES = ['system', 'light', 'dark'] as const
export const SCALE_MODES = ['center', 'fit', 'stretch', 'integer'] as const
export type ScaleMode = (typeof SCALE_MODES)[number]

export const Preferences = z.object({
  language: z.enum(LANGUAGES).default('system'),
  theme: z.enum(THEMES).default('system'),
  /** undefined: the default, "Virtual Machines" in the home folder. */
  location: z.string().optional(),
  /** What quitting does with VMs that run. */
  onQuit: z.enum(['ask', 'keep-running', 'suspend', 'shut-down', 'power-off']).default('ask'),
  reopenTabs: z.boolean().default(true),
  scaleMode: z.enum(SCALE_MODES).default('fit'),
  autofitWindow: z.boolean().default(false),
  grabOnClick: z.boolean().default(true),
  grabOnKey: z.boolean().default(false),
  confirmPowerOff: z.boolean().default(true),
  confirmReset: z.boolean().default(true),
  /** Layout of the guest's keyboard, for paste as typing. */
  guestKeyboard: z.enum(['us']).default('us'),
  terminal: z.object({ fontSize: z.number().int().min(8).max(32).default(13), scrollback: z.number().int().min(100).max(200_000).default(10_000) }).prefault({}),
  notifications: z.boolean().default(true),
})
export type Preferences = z.infer<typeof Preferences>

export const PreferencesPatch = z.record(z.string().max(64), z.json())
export type PreferencesPatch = z.infer<typeof PreferencesPatch>

/** How a window looked: comes back at the next start. Made and understood by the page; the main process only keeps it. */
export const WindowMemory = z.record(z.string().max(64), z.json())
export type WindowMemory = z.infer<typeof WindowMemory>
