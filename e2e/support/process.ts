// Child processes of a test: started, watched, and ended by the test that started them.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Output {
  status: number
  stdout: string
  stderr: string
}

/** Runs a program to its end. A status other than 0 is a value, not an exception; a missing program is one. */
export async function output(program: string, args: string[], options: { env?: NodeJS.ProcessEnv; limitSecs?: number } = {}): Promise<Output> {
  try {
    const done = await run(program, args, {
      env: { ...process.env, ...options.env },
      timeout: (options.limitSecs ?? 120) * 1000,
      maxBuffer: 64 * 1024 * 1024,
    })
    return { status: 0, ...done }
  } catch (error) {
    const failed = error as { code?: unknown; stdout?: string; stderr?: string; killed?: boolean }
    if (typeof failed.code !== 'number') throw error
    return { status: failed.code, stdout: failed.stdout ?? '', stderr: failed.stderr ?? '' }
  }
}

/** Runs a program that must succeed; its standard output. */
export async function stdout(program: string, args: string[], options: { env?: NodeJS.ProcessEnv; limitSecs?: number } = {}): Promise<string> {
  const done = await output(program, args, options)
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${done.status}:\n${done.stderr}${done.stdout}`)
  return done.stdout
}

/** A program in the background, with its output in a file and in memory. */
export class Background {
  readonly child: ChildProcess
  private text = ''
  private readonly name: string

  constructor(name: string, program: string, args: string[], logFile: string, env: NodeJS.ProcessEnv = {}) {
    this.name = name
    this.child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const log = createWriteStream(logFile, { flags: 'a' })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.text += chunk.toString()
        log.write(chunk)
      })
    }
  }

  /** What it has printed so far. */
  get printed(): string {
    return this.text
  }

  /** Waits until it has printed something that matches; the match. */
  async prints(pattern: RegExp, limitSecs = 30): Promise<RegExpMatchArray> {
    return until(`${this.name} prints ${pattern}`, limitSecs, () => {
      const match = this.text.match(pattern)
      if (match) return match
      if (this.child.exitCode !== null) throw new Error(`${this.name} ended with ${this.child.exitCode}:\n${this.text}`)
      return undefined
    })
  }

  /** Asks it to end, insists after ten seconds, and waits until it has. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()))
    this.child.kill(signal)
    const insist = setTimeout(() => this.child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(insist)
  }
}

/** Asks again until there is an answer, or the limit is over. */
export async function until<T>(what: string, limitSecs: number, ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = Date.now() + limitSecs * 1000
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > end) throw new Error(`not within ${limitSecs} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
