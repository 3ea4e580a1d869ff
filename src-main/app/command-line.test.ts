import { describe, expect, it } from 'vitest'
import { ownArguments, parseWanted } from './command-line'

describe('the app\'s command line', () => {
  it('is what stands after the app\'s folder', () => {
    expect(ownArguments(['/usr/bin/electron', '--no-sandbox', '--user-data-dir=/x', '/app', '--memory', '512'], '/app', false, '/')).toEqual(['--memory', '512'])
    expect(ownArguments(['/usr/bin/electron', '.', 'Debian'], '/app', false, '/app')).toEqual(['Debian'])
    expect(ownArguments(['/usr/bin/electron', '--inspect=0'], '/app', false, '/')).toEqual([])
    expect(ownArguments(['/opt/vitrine', '--no-sandbox', '--user-data-dir=/x', '--remote-debugging-port=0', '--enable-features=a,b', '--memory', '512', '--disk=x'], '/opt/app.asar', true, '/')).toEqual(['--memory', '512', '--disk=x'])
  })

  it('names a VM, or nothing', () => {
    expect(parseWanted([], '/home/me')).toEqual({ kind: 'nothing' })
    expect(parseWanted(['Debian 12'], '/home/me')).toEqual({ kind: 'vm', vm: 'Debian 12' })
    expect(parseWanted(['./Debian.vitrine'], '/home/me')).toEqual({ kind: 'vm', vm: '/home/me/Debian.vitrine' })
  })

  it('has machine options, relative to where they are typed', () => {
    expect(parseWanted(['--cdrom', 'isos/debian.iso', '--memory', '512'], '/home/me')).toMatchObject({ kind: 'machine', name: 'debian.iso', hardware: { memoryMiB: 512, demoDisk: false, cdroms: [{ file: '/home/me/isos/debian.iso' }] } })
    expect(parseWanted(['--engine', 'interpreter'], '/home/me')).toMatchObject({ kind: 'machine', name: 'Demo Guest', hardware: { engine: 'interpreter', demoDisk: true } })
    expect(parseWanted(['--disk', `${'x'.repeat(300)}\u0007.img`], '/')).toMatchObject({ kind: 'machine', name: 'x'.repeat(60) })
  })

  it('says in one line what is wrong', () => {
    for (const given of [['--nonsense'], ['--memory'], ['--memory', 'much'], ['One', 'Two'], ['One', '--memory', '64']]) expect(() => parseWanted(given, '/'), given.join(' ')).toThrow(/^[^\n]+$/)
  })
})
