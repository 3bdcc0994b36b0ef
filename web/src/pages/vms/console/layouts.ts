/**
 * Characters as the keys a person would press for them, by keyboard layout.
 *
 * QEMU passes the physical key on, so what the guest makes of it is decided by the guest's layout; a pasted text
 * has to be typed on that layout, modifiers included. Each row lists characters in the order of `codes`.
 */

export type LayoutName = 'us' | 'uk' | 'de'

export interface KeyPress {
  /** `KeyboardEvent.code` of the physical key. */
  code: string
  keysym: number
  shift: boolean
  altGr: boolean
}

const codes = [
  'Backquote',
  ...digits(),
  'Minus',
  'Equal',
  ...letters('QWERTYUIOP'),
  'BracketLeft',
  'BracketRight',
  'Backslash',
  ...letters('ASDFGHJKL'),
  'Semicolon',
  'Quote',
  'IntlBackslash',
  ...letters('ZXCVBNM'),
  'Comma',
  'Period',
  'Slash',
]

interface Layout {
  /** A space stands for a key without a character on that level. */
  base: string
  shift: string
  /** By key. */
  altGr: Record<string, string>
}

const layouts: Record<LayoutName, Layout> = {
  us: {
    base: "`1234567890-=qwertyuiop[]\\asdfghjkl;' zxcvbnm,./",
    shift: '~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:" ZXCVBNM<>?',
    altGr: {},
  },
  uk: {
    base: "`1234567890-=qwertyuiop[]#asdfghjkl;'\\zxcvbnm,./",
    shift: '¬!"£$%^&*()_+QWERTYUIOP{}~ASDFGHJKL:@|ZXCVBNM<>?',
    altGr: { Backquote: '¦', Digit4: '€' },
  },
  de: {
    base: ' 1234567890ß qwertzuiopü+#asdfghjklöä<yxcvbnm,.-',
    shift: '°!"§$%&/()=? QWERTZUIOPÜ*\'ASDFGHJKLÖÄ>YXCVBNM;:_',
    altGr: {
      Digit2: '²',
      Digit3: '³',
      Digit7: '{',
      Digit8: '[',
      Digit9: ']',
      Digit0: '}',
      Minus: '\\',
      KeyQ: '@',
      KeyE: '€',
      BracketRight: '~',
      IntlBackslash: '|',
      KeyM: 'µ',
    },
  },
}

const control = new Map<string, KeyPress>([
  [' ', press('Space', 0x20)],
  ['\n', press('Enter', 0xff0d)],
  ['\t', press('Tab', 0xff09)],
])

/** The keys for `text`, and the characters for which the layout has none. */
export function keysFor(text: string, layout: LayoutName): { presses: KeyPress[]; missing: string[] } {
  const table = tableOf(layout)
  const presses: KeyPress[] = []
  const missing = new Set<string>()
  for (const character of text.replaceAll('\r\n', '\n')) {
    const found = control.get(character) ?? table.get(character)
    if (found === undefined) missing.add(character)
    else presses.push(found)
  }
  return { presses, missing: [...missing] }
}

function tableOf(layout: LayoutName): Map<string, KeyPress> {
  const { base, shift, altGr } = layouts[layout]
  const table = new Map<string, KeyPress>()
  codes.forEach((code, at) => {
    const levels = [base[at], shift[at], altGr[code]]
    levels.forEach((character, level) => {
      if (character === undefined || character === ' ' || table.has(character)) return
      table.set(character, press(code, keysymOf(character), level === 1, level === 2))
    })
  })
  return table
}

/** X11: Latin 1 is its own keysym, anything beyond has the Unicode flag. */
function keysymOf(character: string): number {
  const point = character.codePointAt(0) ?? 0
  return point < 0x100 ? point : 0x1000000 + point
}

function press(code: string, keysym: number, shift = false, altGr = false): KeyPress {
  return { code, keysym, shift, altGr }
}

function digits(): string[] {
  return Array.from('1234567890', (digit) => `Digit${digit}`)
}

function letters(row: string): string[] {
  return Array.from(row, (letter) => `Key${letter}`)
}
