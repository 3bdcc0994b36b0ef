import { describe, expect, it } from 'vitest'
import { keysFor } from './layouts'

const pressed = (text: string, layout: 'us' | 'uk' | 'de') =>
  keysFor(text, layout).presses.map(
    ({ code, shift, altGr }) => `${shift ? 'S-' : ''}${altGr ? 'G-' : ''}${code}`,
  )

describe('keysFor', () => {
  it('types on the layout of the guest', () => {
    expect(pressed('yZ', 'us')).toEqual(['KeyY', 'S-KeyZ'])
    expect(pressed('yZ', 'de')).toEqual(['KeyZ', 'S-KeyY'])
    expect(pressed('@', 'us')).toEqual(['S-Digit2'])
    expect(pressed('@', 'uk')).toEqual(['S-Quote'])
    expect(pressed('@', 'de')).toEqual(['G-KeyQ'])
    expect(pressed('{[]}\\|~', 'de')).toEqual([
      'G-Digit7',
      'G-Digit8',
      'G-Digit9',
      'G-Digit0',
      'G-Minus',
      'G-IntlBackslash',
      'G-BracketRight',
    ])
    expect(pressed("#'£", 'uk')).toEqual(['Backslash', 'Quote', 'S-Digit3'])
    expect(pressed('ß?üÖä-_', 'de')).toEqual([
      'Minus',
      'S-Minus',
      'BracketLeft',
      'S-Semicolon',
      'Quote',
      'Slash',
      'S-Slash',
    ])
  })

  it('types lines and spaces', () => {
    expect(pressed('a b\r\n', 'us')).toEqual(['KeyA', 'Space', 'KeyB', 'Enter'])
  })

  it('has every printable character of ASCII on the US and UK layouts', () => {
    const all = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('')
    expect(keysFor(all, 'us').missing).toEqual([])
    expect(keysFor(all, 'uk').missing).toEqual([])
  })

  it('says what it cannot type', () => {
    expect(keysFor('aß', 'us')).toMatchObject({ missing: ['ß'] })
  })
})
