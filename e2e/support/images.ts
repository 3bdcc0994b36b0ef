// An HTTP server for images that can also misbehave as servers do.
import { createReadStream, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export class ImageServer {
  private readonly server: Server
  private readonly image: string
  /** Requests for the good image, with the range they asked for. */
  readonly requests: string[] = []
  /** Cut this many transfers of the good image in the middle before letting one pass. */
  cuts = 0

  private constructor(image: string) {
    this.image = image
    this.server = createServer((request, response) => this.answer(request, response))
  }

  static async start(image: string): Promise<ImageServer> {
    const images = new ImageServer(image)
    await new Promise<void>((resolve) => images.server.listen(0, '127.0.0.1', resolve))
    return images
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    switch (request.url) {
      case '/guest.qcow2':
      // A second name, so that a test can want the image and not find it in a cache.
      case '/cut/guest.qcow2':
        return this.good(request, response)
      case '/truncated.qcow2':
        // Promises the whole and hangs up early, every time.
        response.writeHead(200, { 'content-length': statSync(this.image).size })
        createReadStream(this.image, { end: 99_999 }).pipe(response, { end: false }).on('unpipe', () => response.destroy())
        return
      case '/page.qcow2':
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Sign in to download</body></html>')
        return
      default:
        response.writeHead(404).end('not here')
    }
  }

  private good(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(request.headers.range ?? 'whole')
    const size = statSync(this.image).size
    const start = Number(request.headers.range?.match(/^bytes=(\d+)-/)?.[1] ?? 0)
    const headers = { 'content-length': size - start, 'accept-ranges': 'bytes', etag: '"guest-1"' }
    response.writeHead(start > 0 ? 206 : 200, start > 0 ? { ...headers, 'content-range': `bytes ${start}-${size - 1}/${size}` } : headers)
    if (this.cuts > 0) {
      this.cuts -= 1
      const half = Math.floor((size + start) / 2)
      createReadStream(this.image, { start, end: half }).pipe(response, { end: false }).on('unpipe', () => response.destroy())
      return
    }
    createReadStream(this.image, { start }).pipe(response)
  }
}
