import { describe, expect, it } from 'vitest'
import { IpcError, type Reply, type RequestName } from './contract'
import { serveRequests, type Handlers, type Sender } from './server'

const us: Sender = { url: 'vitrine://app/index.html', topFrame: true }

function fixture() {
  const asked: unknown[] = []
  const answers = new Map<RequestName, (sender: Sender, payload: unknown) => Promise<Reply<unknown>>>()
  const note = (input: unknown): undefined => void asked.push(input)
  const handlers: Handlers = {
    'vm.describe': () => [],
    'vm.power-on': note,
    'vm.pause': () => {
      throw new IpcError('vm/bad-state', 'not now')
    },
    'vm.resume': () => {
      throw new Error('oops')
    },
    'vm.reset': note,
    'vm.shut-down-guest': note,
    'vm.power-off': note,
    'vm.stats': () => undefined, 'vm.regions': () => undefined, 'vm.region': () => undefined,
    'console.open': note,
    'serial.open': note,
    'window.set-input-grabbed': note,
  }
  serveRequests({ handle: (name, answer) => void answers.set(name, answer), emit: () => undefined }, ({ url, topFrame }) => topFrame && url.startsWith('vitrine://app/'), handlers)
  const ask = async (name: RequestName, payload?: unknown, sender = us): Promise<Reply<unknown>> => {
    const answer = answers.get(name)
    if (!answer) throw new Error(`${name} is not served`)
    return answer(sender, payload)
  }
  return { ask, asked }
}

describe('requests', () => {
  it('reach their handler when sender and payload are right', async () => {
    const { ask, asked } = fixture()
    expect(await ask('vm.power-on', { vm: 'demo' })).toEqual({ ok: true, value: undefined })
    expect(asked).toEqual([{ vm: 'demo' }])
  })

  it('from other pages and from frames are refused', async () => {
    const { ask, asked } = fixture()
    for (const sender of [{ url: 'https://example.org/', topFrame: true }, { url: us.url, topFrame: false }]) {
      expect(await ask('vm.power-on', { vm: 'demo' }, sender)).toMatchObject({ ok: false, error: { code: 'ipc/forbidden' } })
    }
    expect(asked).toEqual([])
  })

  it('with another payload than the contract says are refused', async () => {
    const { ask, asked } = fixture()
    for (const payload of [undefined, null, 'demo', {}, { vm: 1 }, { vm: '' }, { vm: 'demo', and: 'more' }]) {
      expect(await ask('vm.power-on', payload)).toMatchObject({ ok: false, error: { code: 'ipc/bad-request' } })
    }
    expect(asked).toEqual([])
  })

  it('answer errors by code; a bug is a bug', async () => {
    const { ask } = fixture()
    expect(await ask('vm.pause', { vm: 'demo' })).toEqual({ ok: false, error: { code: 'vm/bad-state', message: 'not now' } })
    expect(await ask('vm.resume', { vm: 'demo' })).toMatchObject({ ok: false, error: { code: 'internal/bug' } })
  })
})
