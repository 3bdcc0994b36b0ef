import { describe, expect, it } from 'vitest'
import { agoText, cutMiddle, durationText, guestKind, percentText, rateText, sizeText } from './format'

describe('sizeText', () => {
  it.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [1.5 * 2 ** 30, '1.5 GiB'],
    [2 ** 40, '1 TiB'],
  ])('%d is %s', (bytes, text) => expect(sizeText(bytes)).toBe(text))
})

describe('percentText', () => {
  it('says all only when it is all', () => {
    expect(percentText(999, 1000)).toBe('99 %')
    expect(percentText(1000, 1000)).toBe('100 %')
    expect(percentText(1, 0)).toBe('0 %')
  })
})

describe('agoText', () => {
  const now = Date.parse('2026-11-22T12:00:00Z')
  it.each([
    ['2026-11-22T11:59:58Z', 'just now'],
    ['2026-11-22T11:59:20Z', '40 s ago'],
    ['2026-11-22T11:57:00Z', '3 min ago'],
    ['2026-11-22T09:00:00Z', '3 h ago'],
    ['2026-11-20T09:00:00Z', '2 days ago'],
    ['2026-11-22T12:00:09Z', 'just now'],
    ['nonsense', ''],
  ])('%s is %s', (at, text) => expect(agoText(at, now)).toBe(text))
})

describe('durations and rates', () => {
  it('are rounded to what one can take in', () => {
    expect([durationText(12.4), durationText(150), durationText(7300)]).toEqual(['12 s', '3 min', '2 h'])
    expect([rateText(118_400_000), rateText(1_260_000)]).toEqual(['118 MB/s', '1.3 MB/s'])
  })
})

describe('cutMiddle', () => {
  it('keeps both ends, and whole letters', () => {
    expect(cutMiddle('abcdefghij', 7)).toBe('abc…hij')
    expect(cutMiddle('short', 7)).toBe('short')
    expect(cutMiddle('😀😀😀😀', 3)).toBe('😀…😀')
  })
})

it('the kind of guest has the name that people know', () => {
  expect(guestKind('kvm', 'hvm')).toBe('KVM')
  expect(guestKind('xen')).toBe('Xen')
  expect(guestKind('xen', 'linux')).toBe('Xen PV')
  expect(guestKind('xen', 'hvm')).toBe('Xen HVM')
})
