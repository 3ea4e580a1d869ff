/** Speed of the interpreter on small loops, in million guest instructions a second. */
import { cpus } from 'node:os'
import { LOOPS, loopMips } from './bench/loops'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const ROUNDS = 30

say(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}`)
for (const loop of LOOPS) say(`${`${loop.name} (${loop.mode})`.padEnd(60)} ${loopMips(loop, ROUNDS).toFixed(0).padStart(5)} MIPS`)
