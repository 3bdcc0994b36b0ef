import { describe, expect, it } from 'vitest'
import { formatWidths, nextSort, parseListSearch, parseWidths, toggleComma } from './listSearch'
import { formatSearchText, parseSearchText, safeReturn } from './searchText'

describe('the state of a list in the URL', () => {
  it('keeps what it knows and drops the rest', () => {
    expect(parseListSearch({ status: 'running', sort: '', nonsense: 'x', host: 5 })).toEqual({
      status: 'running',
    })
  })

  it('reads as words, and back', () => {
    const search = { status: 'running,paused', search: 'web 01&x=1', sort: '-memory' }
    const text = formatSearchText(search)
    expect(text).toContain('status=running,paused')
    expect(parseSearchText(text)).toEqual(search)
    expect(formatSearchText({ search: undefined })).toBe('')
  })

  it('toggles values and sorts', () => {
    expect(toggleComma('a,b', 'b')).toBe('a')
    expect(toggleComma('a', 'a')).toBeUndefined()
    expect(toggleComma(undefined, 'a')).toBe('a')
    expect([nextSort(undefined, 'name'), nextSort('name', 'name'), nextSort('-name', 'name')]).toEqual([
      'name',
      '-name',
      'name',
    ])
  })

  it('takes no widths but sensible ones', () => {
    expect([...parseWidths('name.320,host.7,x.abc,memory.99999')]).toEqual([['name', 320]])
    expect(formatWidths(new Map([['name', 320.4]]))).toBe('name.320')
  })
})

describe('safeReturn', () => {
  it.each(['//evil.example', '/\\evil.example', 'https://evil.example', '/login?to=/', undefined])(
    'refuses %s',
    (to) => {
      expect(safeReturn(to)).toBe('/')
    },
  )

  it('keeps the page with its state', () => {
    expect(safeReturn('/vms?status=running')).toBe('/vms?status=running')
  })
})
