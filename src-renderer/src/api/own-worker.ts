/** Threads of the page, from scripts of the page's own. */

interface ScriptPolicy {
  createScriptURL(url: string): string
}

/** Trusted types, where the browser has them: the page's policy takes no address of a script that did not come through here. */
const factory = (globalThis as { readonly trustedTypes?: { createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy } }).trustedTypes
const policy = factory?.createPolicy('vitrine-worker', {
  createScriptURL: (url) => {
    const { origin, href } = new URL(url, window.location.href)
    if (origin !== window.location.origin) throw new TypeError(`not a script of ours: ${url}`)
    return href
  },
})

export function ownWorker(url: string): Worker {
  return new Worker(policy?.createScriptURL(url) ?? url, { type: 'module' })
}
