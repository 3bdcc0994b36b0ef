// `salar serve` as a test starts it, and the command line against it.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { paths } from './paths.ts'
import { Background, output, until, type Output } from './process.ts'

export interface ServeOptions {
  stateDir: string
  hypervisor: string
  fileRoot: string
}

export class Salar {
  readonly url: string
  readonly password: string
  private readonly process: Background
  private readonly options: ServeOptions

  private constructor(process: Background, options: ServeOptions, url: string, password: string) {
    this.process = process
    this.options = options
    this.url = url
    this.password = password
  }

  /** Starts a server and waits until it answers. The password is printed at the first start of a state folder only. */
  static async serve(options: ServeOptions, password?: string): Promise<Salar> {
    const clientFile = join(options.stateDir, 'client.json')
    const before = existsSync(clientFile) ? readFileSync(clientFile, 'utf8') : ''
    const process = new Background('salar serve', paths.salar(), [
      'serve',
      ...['--state-dir', options.stateDir],
      ...['--listen', '127.0.0.1:0'],
      ...['--listen-agents', '127.0.0.1:0'],
      ...['--hypervisor', options.hypervisor],
      ...['--id', 'kvm1.example'],
      ...['--file-root', options.fileRoot],
    ], join(options.stateDir, '..', 'salar.log'))
    const url = await until('salar serve says where it listens', 30, () => {
      if (process.child.exitCode !== null) throw new Error(`salar serve ended:\n${process.printed}`)
      const now = existsSync(clientFile) ? readFileSync(clientFile, 'utf8') : ''
      return now !== before && now !== '' ? (JSON.parse(now) as { url: string }).url : undefined
    })
    const printed = password ?? (await process.prints(/[Pp]assword[^\n]*?:?\s+(\S+)\s*\n/))[1]
    return new Salar(process, options, url.replace(/\/$/, ''), printed ?? '')
  }

  stop(signal?: NodeJS.Signals): Promise<void> {
    return this.process.stop(signal)
  }

  get pid(): number {
    return this.process.child.pid ?? 0
  }

  /** Where agents of other machines come to. */
  async agentsAt(): Promise<string> {
    const printed = await this.process.prints(/Agents at\s+(\S+)\n/)
    return `https://${printed[1]}`
  }

  get log(): string {
    return this.process.printed
  }

  /** The token that the server leaves for the command line of its own machine. */
  token(): string {
    return (JSON.parse(readFileSync(join(this.options.stateDir, 'client.json'), 'utf8')) as { token: string }).token
  }

  /** A command of the command line through the server: `cli('vm', 'list')`. */
  cli(...args: string[]): Promise<Output> {
    return output(paths.salar(), [...args], { env: { SALAR_STATE_DIR: this.options.stateDir, NO_COLOR: '1' } })
  }

  /** `salar call` on this machine, without the server. */
  call(...args: string[]): Promise<Output> {
    const { hypervisor, fileRoot, stateDir } = this.options
    return output(paths.salar(), ['call', '--connect', hypervisor, '--file-root', fileRoot, '--state-dir', join(stateDir, '..', 'call'), ...args])
  }

  /** A GET of the API; the parsed body. */
  async get<T>(path: string): Promise<T> {
    const answer = await fetch(this.url + path, { headers: { authorization: `Bearer ${this.token()}` } })
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }
}
