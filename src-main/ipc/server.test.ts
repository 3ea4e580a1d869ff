import { describe, expect, it } from 'vitest'
import { IpcError, REQUEST_NAMES, type Reply, type RequestName } from './contract'
import { serveRequests, type Handlers, type Sender } from './server'

const us: Sender = { url: 'vitrine://app/index.html', window: 7 }

function fixture() {
  const asked: unknown[] = []
  const answers = new Map<RequestName, (sender: Sender, payload: unknown) => Promise<Reply<unknown>>>()
  const noted = Object.fromEntries(REQUEST_NAMES.map((name) => [name, (input: unknown, window: number): undefined => void asked.push([window, input])])) as unknown as Handlers // only noted
  const handlers: Handlers = {
    ...noted,
    'vm.stats': () => {
      throw new IpcError('vm/bad-state', 'not now')
    },
    'vm.log': () => {
      throw new Error('oops')
    },
  }
  const transport = { handle: (name: RequestName, answer: (sender: Sender, payload: unknown) => Promise<Reply<unknown>>) => void answers.set(name, answer), emit: () => undefined, emitTo: () => undefined, openPort: () => { throw new Error('no ports here') } }
  serveRequests(transport, (url) => url.startsWith('vitrine://app/'), handlers)
  const ask = async (name: RequestName, payload?: unknown, sender = us): Promise<Reply<unknown>> => {
    const answer = answers.get(name)
    if (!answer) throw new Error(`${name} is not served`)
    return answer(sender, payload)
  }
  return { ask, asked }
}

describe('requests', () => {
  it('reach their handler, with the window, when sender and payload are right', async () => {
    const { ask, asked } = fixture()
    expect(await ask('vm.settings', { vm: 'demo' })).toEqual({ ok: true, value: undefined })
    expect(asked).toEqual([[7, { vm: 'demo' }]])
  })

  it('from other pages, and from frames and views that are no window of ours, are refused: every one of them', async () => {
    const { ask, asked } = fixture()
    for (const name of REQUEST_NAMES) {
      for (const sender of [{ url: 'https://example.org/', window: 7 }, { url: 'vitrine://appendix/', window: 7 }, { url: us.url, window: undefined }]) {
        expect(await ask(name, { vm: 'demo' }, sender)).toMatchObject({ ok: false, error: { code: 'ipc/forbidden' } })
      }
    }
    expect(asked).toEqual([])
  })

  it('with another payload than the contract says are refused', async () => {
    const { ask, asked } = fixture()
    for (const payload of [undefined, null, 'demo', {}, { vm: 1 }, { vm: '' }, { vm: 'demo', and: 'more' }]) {
      expect(await ask('vm.settings', payload)).toMatchObject({ ok: false, error: { code: 'ipc/bad-request' } })
    }
    expect(asked).toEqual([])
  })

  it('answer errors by code; a bug is a bug', async () => {
    const { ask } = fixture()
    expect(await ask('vm.stats', { vm: 'demo' })).toEqual({ ok: false, error: { code: 'vm/bad-state', message: 'not now' } })
    expect(await ask('vm.log', { vm: 'demo' })).toMatchObject({ ok: false, error: { code: 'internal/bug' } })
  })
})
