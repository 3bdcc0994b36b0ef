/** Keys and chords that a browser or the person's own system would keep for itself. */

export interface Key {
  keysym: number
  code: string
}

export const ctrl: Key = { keysym: 0xffe3, code: 'ControlLeft' }
export const alt: Key = { keysym: 0xffe9, code: 'AltLeft' }
export const shift: Key = { keysym: 0xffe1, code: 'ShiftLeft' }
export const altGr: Key = { keysym: 0xfe03, code: 'AltRight' }
/** Keys that the guest believes to be down when the keyboard goes away between press and release. */
export const modifiers: readonly Key[] = [
  ctrl,
  { keysym: 0xffe4, code: 'ControlRight' },
  alt,
  { keysym: 0xffea, code: 'AltRight' },
  shift,
  { keysym: 0xffe2, code: 'ShiftRight' },
  altGr,
]

const meta: Key = { keysym: 0xffeb, code: 'MetaLeft' }
const tab: Key = { keysym: 0xff09, code: 'Tab' }
const escape: Key = { keysym: 0xff1b, code: 'Escape' }
const backspace: Key = { keysym: 0xff08, code: 'Backspace' }
const print: Key = { keysym: 0xff61, code: 'PrintScreen' }

const functionKey = (number: number): Key => ({ keysym: 0xffbd + number, code: `F${number}` })
const functionKeys = Array.from({ length: 12 }, (_, index) => index + 1)

export interface Chord {
  label: string
  keys: readonly Key[]
}

/** In the order of the menu. Names of keys are the same in every language. */
export const chords: readonly Chord[] = [
  { label: 'Esc', keys: [escape] },
  { label: 'Tab', keys: [tab] },
  { label: 'Super', keys: [meta] },
  { label: 'Alt-Tab', keys: [alt, tab] },
  { label: 'Alt-F4', keys: [alt, functionKey(4)] },
  { label: 'Ctrl-Alt-Backspace', keys: [ctrl, alt, backspace] },
  { label: 'Print', keys: [print] },
  ...functionKeys.map((number) => ({ label: `F${number}`, keys: [functionKey(number)] })),
  ...functionKeys
    .slice(0, 7)
    .map((number) => ({ label: `Ctrl-Alt-F${number}`, keys: [ctrl, alt, functionKey(number)] })),
]
