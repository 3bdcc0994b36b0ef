// A real libvirt host in namespaces of its own (lab/test-host).
import { paths } from './paths.ts'
import { output, stdout, until, type Output } from './process.ts'

export class Host {
  readonly dir: string
  private constructor(dir: string) {
    this.dir = dir
  }

  /** Brings a host up; it goes down with this process. */
  static async up(dir: string, nfsImage: string): Promise<Host> {
    const host = new Host(dir)
    await host.lab('up', '--name', 'kvm1', '--nfs', nfsImage, '--die-with', String(process.pid))
    return host
  }

  private lab(command: string, ...args: string[]): Promise<string> {
    return stdout(paths.testHost(), ['--dir', this.dir, command, ...args])
  }

  /** The URI that works from outside the host's namespaces. */
  async uri(): Promise<string> {
    return (await this.lab('uri')).trim()
  }

  /** `virsh` with these arguments, on the host; must succeed. */
  async virsh(...args: string[]): Promise<string> {
    return stdout('virsh', ['-q', '-c', await this.uri(), ...args])
  }

  /** The same, with the outcome as a value. */
  async tryVirsh(...args: string[]): Promise<Output> {
    return output('virsh', ['-q', '-c', await this.uri(), ...args])
  }

  /** Runs a program inside the host. */
  exec(...command: string[]): Promise<Output> {
    return output(paths.testHost(), ['--dir', this.dir, 'exec', ...command])
  }

  /** The lease a guest with this MAC address got, once it has one. */
  async lease(network: string, mac: string, limitSecs: number): Promise<string> {
    return until(`a lease for ${mac} in ${network}`, limitSecs, async () => {
      const leases = await this.virsh('net-dhcp-leases', network)
      const line = leases.split('\n').find((text) => text.toLowerCase().includes(mac.toLowerCase()))
      return line?.match(/(\d+\.\d+\.\d+\.\d+)\//)?.[1]
    })
  }

  killDaemon = () => this.lab('kill-daemon')
  startDaemon = () => this.lab('start-daemon')
  stopDaemon = () => this.lab('stop-daemon')
  contDaemon = () => this.lab('cont-daemon')
  down = () => this.lab('down')
}
