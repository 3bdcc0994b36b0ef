/** One console: a ticket, a connection, and what happens to it. No React. */
import RFB from '@novnc/novnc'
import { openConsole } from '../../../api/queries'
import type { KeyPress } from './layouts'
import { alt, altGr, ctrl, modifiers, shift, type Chord, type Key } from './specialKeys'

export type ConsoleState =
  | { kind: 'connecting' }
  | { kind: 'connected' }
  | { kind: 'needs_password' }
  /** The other end has closed, or the network. */
  | { kind: 'lost' }
  | { kind: 'refused'; reason: string }
  | { kind: 'failed'; error: unknown }

/** Between two keys of a pasted text: guests drop keys that come faster than their keyboard driver reads. */
const keyInterval = 12

export class ConsoleSession {
  private rfb: RFB | undefined
  private ended = false
  private held: Key[] = []

  constructor(
    private readonly vmId: string,
    private readonly screen: HTMLElement,
    private readonly onState: (state: ConsoleState) => void,
  ) {}

  /** Gets a ticket and connects. */
  async open(options: { scale: boolean; viewOnly: boolean }): Promise<void> {
    this.onState({ kind: 'connecting' })
    try {
      const ticket = await openConsole(this.vmId)
      if (this.ended) return
      this.connect(ticket.path, options)
    } catch (error) {
      if (!this.ended) this.onState({ kind: 'failed', error })
    }
  }

  private connect(path: string, options: { scale: boolean; viewOnly: boolean }): void {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const rfb = new RFB(this.screen, `${scheme}://${location.host}${path}`, {
      shared: true,
      wsProtocols: ['binary'],
    })
    this.rfb = rfb
    rfb.background = 'transparent'
    rfb.showDotCursor = true
    this.setScale(options.scale)
    this.setViewOnly(options.viewOnly)
    let refused: string | undefined
    rfb.addEventListener('connect', () => {
      this.onState({ kind: 'connected' })
      rfb.focus({ preventScroll: true })
    })
    rfb.addEventListener('credentialsrequired', () => this.onState({ kind: 'needs_password' }))
    rfb.addEventListener('securityfailure', (event) => {
      refused = event.detail.reason ?? String(event.detail.status)
    })
    rfb.addEventListener('disconnect', () => {
      this.rfb = undefined
      if (this.ended) return
      this.onState(refused === undefined ? { kind: 'lost' } : { kind: 'refused', reason: refused })
    })
  }

  close(): void {
    this.ended = true
    this.rfb?.disconnect()
    this.rfb = undefined
  }

  setScale(scale: boolean): void {
    if (this.rfb === undefined) return
    this.rfb.scaleViewport = scale
    this.rfb.clipViewport = false
  }

  setViewOnly(viewOnly: boolean): void {
    if (this.rfb !== undefined) this.rfb.viewOnly = viewOnly
  }

  sendPassword(password: string): void {
    this.rfb?.sendCredentials({ password })
  }

  sendCtrlAltDel(): void {
    this.rfb?.sendCtrlAltDel()
  }

  /** Presses the keys in order and lets them go in the opposite one. */
  sendChord(chord: Chord): void {
    for (const key of chord.keys) this.key(key, true)
    for (const key of chord.keys.toReversed()) this.key(key, false)
  }

  /** Holds Ctrl or Alt down until it is let go. */
  setHeld(key: 'ctrl' | 'alt', down: boolean): void {
    const which = key === 'ctrl' ? ctrl : alt
    this.held = this.held.filter((one) => one !== which)
    if (down) this.held.push(which)
    this.key(which, down)
  }

  /** Types the keys one after the other. */
  async type(presses: readonly KeyPress[]): Promise<void> {
    for (const press of presses) {
      if (this.rfb === undefined) return
      if (press.shift) this.key(shift, true)
      if (press.altGr) this.key(altGr, true)
      this.key(press, true)
      this.key(press, false)
      if (press.altGr) this.key(altGr, false)
      if (press.shift) this.key(shift, false)
      await new Promise((resolve) => setTimeout(resolve, keyInterval))
    }
  }

  /** The picture as PNG; undefined while there is none. */
  screenshot(): Promise<Blob | undefined> {
    return new Promise((resolve) => {
      if (this.rfb === undefined) resolve(undefined)
      else this.rfb.toBlob((blob) => resolve(blob ?? undefined), 'image/png')
    })
  }

  focus(): void {
    this.rfb?.focus({ preventScroll: true })
  }

  /** Gives the keyboard back to the page. */
  blur(): void {
    this.rfb?.blur()
  }

  /**
   * Lets go of what is still pressed, to be called when the keyboard has left the screen: the release of those keys
   * goes to another element, and the guest would hold Ctrl, Alt or Shift for good. Keys held on purpose stay.
   */
  letGo(): void {
    if (this.rfb === undefined || this.rfb.viewOnly) return
    for (const key of modifiers) if (!this.held.includes(key)) this.key(key, false)
    // noVNC keeps a list of its own, and clears it when it gives up the keyboard.
    this.rfb.viewOnly = true
    this.rfb.viewOnly = false
  }

  private key(key: Key, down: boolean): void {
    this.rfb?.sendKey(key.keysym, key.code, down)
  }
}
